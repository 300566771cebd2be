using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>STREAM: raw TCP, for peers that speak no ZMTP. Messages are <c>[id][bytes]</c>, both ways (zmq_socket(3), "ZMQ_STREAM").</summary>
/// <remarks>
/// <c>[id][]</c> is received when a connection begins and when it ends; sending it closes the connection once what was sent before has left.
/// An id has five bytes, a zero and a number. What one read brings, up to 8 KiB, is one message: where it is cut means nothing.
/// </remarks>
public sealed class StreamSocket : ZmtpSocket
{
    private readonly Dictionary<byte[], StreamPeer> _byId = new(ByteKey.Comparer);
    private readonly ChangeSignal _signal = new();
    private readonly FairQueue _in;
    private uint _nextId = (uint)Random.Shared.Next();

    /// <summary>Makes one.</summary>
    public StreamSocket(ZmtpOptions? options = null)
        : base(SocketType.Stream, options) => _in = new FairQueue(Options);

    /// <summary>Sends <c>[id][bytes]</c>; waits while that connection is at its high-water mark. The message is taken over when the call succeeds.</summary>
    /// <exception cref="ZmtpUnreachableException">No connection has this id (libzmq: EHOSTUNREACH).</exception>
    /// <exception cref="ArgumentException">The message has not exactly two frames.</exception>
    /// <exception cref="TimeoutException">It had no room within <see cref="ZmtpOptions.SendTimeout"/>.</exception>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public ValueTask SendAsync(Message message, CancellationToken cancellationToken = default) => TrySend(message)
        ? default
        : _signal.UntilAsync((socket: this, message), static s => s.socket.TrySend(s.message), Options, cancellationToken);

    /// <summary>Sends <c>[id][bytes]</c> when that connection has room now. The message is taken over when the answer is true.</summary>
    /// <returns>False when the connection is at its high-water mark (libzmq: EAGAIN).</returns>
    /// <exception cref="ZmtpUnreachableException">No connection has this id (libzmq: EHOSTUNREACH).</exception>
    /// <exception cref="ArgumentException">The message has not exactly two frames.</exception>
    public bool TrySend(Message message)
    {
        if (message.Count != 2) throw new ArgumentException($"A STREAM socket sends two frames, an id and bytes; this message has {message.Count}.", nameof(message));
        StreamPeer? peer;
        lock (Gate) _byId.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(message[0].Span, out peer);
        if (peer is null) throw new ZmtpUnreachableException($"No connection has the id {Convert.ToHexString(message[0].Span)}.");
        if (message[1].IsEmpty) peer.Close();
        else if (!peer.TryWrite(message, static (m, writer) => writer.WriteFrame(m[1].Span, more: false))) return false;
        message.Dispose();
        return true;
    }

    /// <summary>Waits for the next message: <c>[id][bytes]</c>, or <c>[id][]</c> at the beginning and the end of a connection. The caller owns it.</summary>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) => (await _in.ReceiveAsync(cancellationToken)).Message;

    /// <summary>Takes a message that is here already. The caller owns it.</summary>
    public bool TryReceive([NotNullWhen(true)] out Message? message) => _in.TryReceive(out message, out _);

    internal override ForwardOutcome Forward(in Parcel parcel, FlushBatch batch)
    {
        StreamPeer? peer = null;
        lock (Gate)
        {
            if (parcel.Count == 2) _byId.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(parcel.First, out peer);
        }

        if (peer is null) return ForwardOutcome.Dropped;
        var bytes = parcel.WithoutFirst();
        if (bytes.Length > 0) return peer.TryForward(bytes, batch) ? ForwardOutcome.Sent : ForwardOutcome.Full;
        peer.Flush();
        peer.Close();
        return ForwardOutcome.Sent;
    }

    private protected override IFrameSink Attach(Peer peer)
    {
        var id = new byte[5];
        BinaryPrimitives.WriteUInt32BigEndian(id.AsSpan(1), _nextId++);
        var pipe = PipeFor(_in, peer, id);
        peer.Tag = (id, pipe);
        _byId[id] = (StreamPeer)peer;
        pipe.Enqueue(Message.Of(id, []));
        return pipe;
    }

    private protected override void Writable(Peer peer) => _signal.Changed();

    private protected override void Detach(Peer peer)
    {
        var (id, pipe) = ((byte[], IncomingPipe))peer.Tag!;
        _byId.Remove(id);
        pipe.Enqueue(Message.Of(id, []));
        _signal.Changed();
    }

    private protected override void OnDisposed()
    {
        _in.Dispose();
        _signal.Close();
    }
}
