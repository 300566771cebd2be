using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Zmtp.Transports;
using ZmtpSocketType = Zmtp.Wire.SocketType;

namespace Zmtp.Sockets;

/// <summary>Whoever listens at a udp address, as a RADIO sees it, or whoever sends to ours, as a DISH does. Datagrams: no handshake, no end, no promise.</summary>
/// <remarks>A datagram is the group's length in one octet, the group and the body, as libzmq has it.</remarks>
internal sealed class UdpPeer : Peer, IDisposable
{
    private readonly Lock _gate = new();
    private readonly Socket _socket;
    private readonly IPEndPoint? _destination;
    private readonly byte[] _datagram;

    /// <param name="destination">Where to send to; null for a socket that receives.</param>
    public UdpPeer(Socket socket, string endpoint, IPEndPoint? destination)
    {
        (_socket, Endpoint, _destination) = (socket, endpoint, destination);
        Type = destination is null ? ZmtpSocketType.Radio : ZmtpSocketType.Dish;
        _datagram = new byte[destination is null ? UdpTransport.MaxReceived : UdpTransport.MaxDatagram];
    }

    public override string Endpoint { get; }

    public override string Remote => _destination?.ToString() ?? "";

    public override bool IsOutgoing => _destination is not null;

    public override bool IsWritable => IsOutgoing;

    /// <exception cref="ArgumentException">A message of this size does not fit a datagram.</exception>
    public void CheckSize(int groupLength, int bodyLength)
    {
        if (1L + groupLength + bodyLength <= UdpTransport.MaxDatagram) return;
        throw new ArgumentException(
            $"A datagram to {Endpoint} has at most {UdpTransport.MaxDatagram} bytes, its group of {groupLength} and one for that group's length included; this message has {bodyLength}.",
            nameof(bodyLength));
    }

    public override bool TryWrite<TState>(TState state, Action<TState, IFrameWriter> write, bool deferFlush = false)
    {
        using var message = Message.Create();
        write(state, message);
        return TrySend(message, deferFlush);
    }

    /// <returns>False when the system does not take the datagram: its buffer is full, or there is no way to the address.</returns>
    public override bool TrySend(Message message, bool deferFlush = false)
    {
        if (_destination is null || message.Count != 2) return false;
        CheckSize(message[0].Length, message[1].Length);
        lock (_gate)
        {
            _datagram[0] = (byte)message[0].Length;
            message[0].Span.CopyTo(_datagram.AsSpan(1));
            message[1].Span.CopyTo(_datagram.AsSpan(1 + message[0].Length));
            try
            {
                CountOut(_socket.SendTo(_datagram.AsSpan(0, 1 + message.Length), SocketFlags.None, _destination));
                CountMessageOut();
                return true;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return false;
            }
        }
    }

    public override bool TryBeginStream<TState>(TState state, Action<TState, IFrameWriter> write, long length, [NotNullWhen(true)] out FrameStream? stream)
    {
        stream = IsOutgoing ? CollectingFrameStream.Begin(this, state, write, length, UdpTransport.MaxDatagram) : null;
        return stream is not null;
    }

    internal override bool TakesPieces => false;

    internal override bool TryQueue(in Parcel parcel, FlushBatch batch)
    {
        using var message = parcel.ToMessage();
        return TrySend(message);
    }

    internal override void Flush()
    {
        // A datagram is sent at once.
    }

    /// <summary>Nobody is told: a DISH picks its groups out of what arrives.</summary>
    public override void SendSubscription(ReadOnlySpan<byte> topic, bool subscribe)
    {
        // Nothing goes out.
    }

    public override void Abort(Exception reason) => _socket.Dispose();

    internal override void Finish()
    {
        // Nothing is queued that could be waited for.
    }

    public override Task FlushedAsync() => Task.CompletedTask;

    public void Dispose() => _socket.Dispose();

    /// <summary>Receives until the token says stop or the socket is closed.</summary>
    public async Task ReceiveAsync(IFrameSink sink, CancellationToken stopping)
    {
        var from = new SocketAddress(_socket.AddressFamily);
        while (true)
        {
            int count;
            try
            {
                count = await _socket.ReceiveFromAsync(_datagram, SocketFlags.None, from, stopping);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.MessageSize or SocketError.NetworkReset)
            {
                // Of one datagram; the next one is another matter.
                continue;
            }

            var ready = Deliver(sink, count);
            sink.BatchEnd();
            // What comes meanwhile waits in the system's buffer, and beyond that is lost: UDP knows no backpressure.
            if (!ready) await sink.WhenReadyAsync(stopping);
        }
    }

    private bool Deliver(IFrameSink sink, int count)
    {
        CountIn(count);
        // As libzmq: what does not hold the group that it announces is ignored.
        if (count < 1 || count < 1 + _datagram[0]) return true;
        CountMessageIn();
        var group = _datagram.AsSpan(1, _datagram[0]);
        var body = _datagram.AsSpan(1 + group.Length, count - 1 - group.Length);
        var ready = sink.Accept(new Wire.FramePart(group, group.Length, isFirst: true, isLast: true, more: true));
        return sink.Accept(new Wire.FramePart(body, body.Length, isFirst: true, isLast: true, more: false)) && ready;
    }
}
