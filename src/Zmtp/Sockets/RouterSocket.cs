using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>
/// ROUTER: every received message begins with its peer's identity; the first frame of a message to send names the peer (28/REQREP).
/// </summary>
/// <remarks>A peer without identity gets five bytes, a zero and a number. A second peer with an identity that is in use is refused.</remarks>
public sealed class RouterSocket : ZmtpSocket
{
    private readonly Dictionary<byte[], Peer> _byIdentity = new(ByteKey.Comparer);
    private readonly FairQueue _in;
    private uint _nextIdentity = (uint)Random.Shared.Next();

    /// <summary>Makes one.</summary>
    public RouterSocket(ZmtpOptions? options = null)
        : base(SocketType.Router, options) => _in = new FairQueue(Options);

    /// <summary>Messages that were dropped because their peer was unknown or at its high-water mark.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    private long _dropped;

    /// <summary>Sends to the peer that the first frame names. The message is taken over; when the peer is unknown or full it is dropped and counted.</summary>
    /// <returns>Whether it was queued.</returns>
    public bool Send(Message message)
    {
        try
        {
            Peer? peer;
            lock (Gate) _byIdentity.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(message[0].Span, out peer);
            // An identity alone is nothing to send.
            if (message.Count > 1 && peer is not null && peer.TryWrite(message, static (m, writer) => WriteBody(m, writer))) return true;
            Interlocked.Increment(ref _dropped);
            return false;
        }
        finally
        {
            message.Dispose();
        }
    }

    /// <summary>Waits for the next message: <c>[identity] frames…</c>. The caller owns it.</summary>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) => (await _in.ReceiveAsync(cancellationToken)).Message;

    /// <summary>Takes a message that is here already. The caller owns it.</summary>
    public bool TryReceive([NotNullWhen(true)] out Message? message) => _in.TryReceive(out message, out _);

    internal override ForwardOutcome Forward(in Parcel parcel, FlushBatch batch)
    {
        // An identity alone is nothing to send.
        if (parcel.Count < 2 || Find(parcel.First) is not { } peer) return Drop();
        if (!peer.TryForward(parcel.WithoutFirst(), batch)) return peer.IsStuck ? Drop() : ForwardOutcome.Full;
        peer.IsStuck = false;
        return ForwardOutcome.Sent;
    }

    internal override ForwardOutcome TryBegin(in Parcel head, long length, out FrameStream? stream)
    {
        stream = null;
        if (head.Count < 1 || Find(head.First) is not { } peer) return Drop();
        if (!peer.TakesPieces) return ForwardOutcome.NotInPieces;
        if (!TryBeginAt(peer, head.WithoutFirst(), length, out stream)) return peer.IsStuck ? Drop() : ForwardOutcome.Full;
        peer.IsStuck = false;
        return ForwardOutcome.Sent;
    }

    internal override bool GiveUp(in Parcel parcel)
    {
        if (Find(parcel.First) is not { } peer) return false;
        peer.IsStuck = true;
        Drop();
        return true;
    }

    private ForwardOutcome Drop()
    {
        Interlocked.Increment(ref _dropped);
        return ForwardOutcome.Dropped;
    }

    private Peer? Find(ReadOnlySpan<byte> identity)
    {
        lock (Gate) return _byIdentity.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(identity, out var peer) ? peer : null;
    }

    private protected override IFrameSink? Attach(Peer peer)
    {
        var identity = peer.Identity;
        if (identity.Length == 0)
        {
            identity = new byte[5];
            BinaryPrimitives.WriteUInt32BigEndian(identity.AsSpan(1), _nextIdentity++);
        }

        if (!_byIdentity.TryAdd(identity, peer)) return null;
        peer.Tag = identity;
        return PipeFor(_in, peer, identity);
    }

    private protected override void Detach(Peer peer) => _byIdentity.Remove((byte[])peer.Tag!);

    private protected override void OnDisposed() => _in.Dispose();

    private static void WriteBody(Message message, IFrameWriter writer)
    {
        for (var i = 1; i < message.Count; i++) writer.WriteFrame(message[i].Span, i < message.Count - 1);
    }
}
