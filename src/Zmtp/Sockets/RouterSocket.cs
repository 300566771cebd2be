using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>
/// ROUTER: every received message begins with its peer's identity; the first frame of a message to send names the peer (28/REQREP).
/// </summary>
/// <remarks>
/// A peer without identity gets five bytes, a zero and a number. A second peer with an identity that is in use is refused, unless
/// <see cref="ZmtpOptions.RouterHandover"/> lets it take over.
/// </remarks>
public sealed class RouterSocket : ZmtpSocket
{
    private readonly Dictionary<byte[], Peer> _byIdentity = new(ByteKey.Comparer);
    private readonly HashSet<byte[]> _reserved = new(ByteKey.Comparer);
    private readonly ChangeSignal _signal = new();
    private readonly FairQueue _in;
    private uint _nextIdentity = (uint)Random.Shared.Next();
    private long _dropped;

    /// <summary>Makes one.</summary>
    public RouterSocket(ZmtpOptions? options = null)
        : base(SocketType.Router, options) => _in = new FairQueue(Options);

    /// <summary>Messages that were dropped because their peer was unknown or at its high-water mark.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Connects to an endpoint whose peer gets this identity here, whatever it announces. (CONNECT_ROUTING_ID)</summary>
    /// <param name="endpoint">As <see cref="ZmtpSocket.Connect(string)"/> takes it.</param>
    /// <param name="routingId">1 to 255 bytes, not beginning with zero.</param>
    /// <exception cref="ArgumentException">The endpoint or the identity is none, or the identity is in use.</exception>
    public void Connect(string endpoint, byte[] routingId)
    {
        if (routingId.Length is 0 or > byte.MaxValue || routingId[0] == 0) throw new ArgumentException("A routing id has 1 to 255 bytes and does not begin with zero.", nameof(routingId));
        Reservation reservation;
        lock (Gate)
        {
            // libzmq stops the whole process at this point.
            if (_byIdentity.ContainsKey(routingId) || !_reserved.Add(routingId)) throw new ArgumentException("The routing id is in use.", nameof(routingId));
            reservation = new Reservation(this, [.. routingId]);
        }

        try
        {
            Connect(endpoint, reservation);
        }
        catch
        {
            reservation.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Sends to the peer that the first frame names. The message is taken over; when the peer is unknown or full it is dropped and counted,
    /// unless <see cref="ZmtpOptions.RouterMandatory"/> makes that a failure, after which it is still the caller's.
    /// </summary>
    /// <returns>Whether it was queued.</returns>
    /// <exception cref="ZmtpUnreachableException">RouterMandatory: no peer has this identity (libzmq: EHOSTUNREACH).</exception>
    /// <exception cref="ZmtpException">RouterMandatory: the peer is at its high-water mark (libzmq: EAGAIN).</exception>
    public bool Send(Message message) => Offer(message) switch
    {
        ForwardOutcome.Full => throw new ZmtpException("The peer is at its high-water mark; SendOrWaitAsync waits for it."),
        var outcome => outcome == ForwardOutcome.Sent,
    };

    /// <summary>Sends as <see cref="Send"/> does. The message is taken over when the answer is true.</summary>
    /// <returns>False only with <see cref="ZmtpOptions.RouterMandatory"/>, when the peer is at its high-water mark (libzmq: EAGAIN).</returns>
    /// <exception cref="ZmtpUnreachableException">RouterMandatory: no peer has this identity (libzmq: EHOSTUNREACH).</exception>
    public bool TrySend(Message message) => Offer(message) != ForwardOutcome.Full;

    /// <summary>Sends as <see cref="Send"/> does; with <see cref="ZmtpOptions.RouterMandatory"/> it waits while the peer is at its high-water mark.</summary>
    /// <exception cref="ZmtpUnreachableException">RouterMandatory: no peer has this identity (libzmq: EHOSTUNREACH).</exception>
    /// <exception cref="TimeoutException">RouterMandatory: the peer had no room within <see cref="ZmtpOptions.SendTimeout"/>.</exception>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask SendOrWaitAsync(Message message, CancellationToken cancellationToken = default)
    {
        if (!TrySend(message)) await Patience.SendAsync(Options, _signal, () => TrySend(message) ? this : null, "The peer", cancellationToken);
    }

    /// <summary>Waits for the next message: <c>[identity] frames…</c>. The caller owns it.</summary>
    /// <exception cref="TimeoutException">None came within <see cref="ZmtpOptions.ReceiveTimeout"/>.</exception>
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
        if (!peer.HasSentAll && peer.IsWritable) return ForwardOutcome.Busy;
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

    private ForwardOutcome Offer(Message message)
    {
        var peer = Find(message[0].Span);
        // An identity alone is nothing to send, and as in libzmq that is no failure.
        if (message.Count > 1 && peer is null && Options.RouterMandatory) throw new ZmtpUnreachableException($"No peer has the identity {Convert.ToHexString(message[0].Span)}.");
        var isSent = message.Count > 1 && peer is not null && peer.TryWrite(message, static (m, writer) => WriteBody(m, writer));
        if (!isSent && message.Count > 1 && Options.RouterMandatory) return ForwardOutcome.Full;
        message.Dispose();
        return isSent ? ForwardOutcome.Sent : Drop();
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
        var identity = (peer.Tag as Reservation)?.Identity ?? peer.Identity;
        if (identity.Length == 0)
        {
            identity = new byte[5];
            BinaryPrimitives.WriteUInt32BigEndian(identity.AsSpan(1), _nextIdentity++);
        }
        else if (WhyRefused(peer, identity) is { } why)
        {
            return Refuse(peer, why);
        }

        // Told at once, so that nobody sends to it any more; what it has sent is still delivered, under the same identity.
        if (_byIdentity.GetValueOrDefault(identity) is { } holder)
        {
            holder.IsLeaving = true;
            holder.Abort(new ZmtpException($"{peer.Remote} took its identity over."));
        }

        _byIdentity[identity] = peer;
        peer.Tag = identity;
        var pipe = PipeFor(_in, peer, identity);
        if (Options.RouterNotify.HasFlag(RouterNotify.Connect)) pipe.Enqueue(FromPeer(peer, []));
        return pipe;
    }

    private protected override Message FromPeer(Peer peer, byte[] frame) => Message.Of((byte[])peer.Tag!, frame);

    private protected override void Attached(Peer peer) => _signal.Changed();

    private protected override void Writable(Peer peer) => _signal.Changed();

    private protected override void Detach(Peer peer)
    {
        var identity = (byte[])peer.Tag!;
        // Whoever took the identity over keeps it.
        if (_byIdentity.GetValueOrDefault(identity) != peer) return;
        _byIdentity.Remove(identity);
        if (Options.RouterNotify.HasFlag(RouterNotify.Disconnect)) peer.Incoming!.Enqueue(FromPeer(peer, []));
        // Who waits for its room waits in vain.
        _signal.Changed();
    }

    private protected override void OnDisposed()
    {
        _in.Dispose();
        _signal.Close();
    }

    private string? WhyRefused(Peer peer, byte[] identity)
    {
        if (peer.Tag is not Reservation && _reserved.Contains(identity)) return $"{peer.Remote} was refused: a connection of ours has the identity that it announced.";
        if (_byIdentity.GetValueOrDefault(identity) is not { } holder) return null;
        if (!Options.RouterHandover) return $"{peer.Remote} was refused: {holder.Remote} has the identity that it announced.";
        return holder.UserId == peer.UserId ? null : $"{peer.Remote} was refused: {holder.Remote}, another user, has the identity that it announced.";
    }

    private void Free(byte[] identity)
    {
        lock (Gate) _reserved.Remove(identity);
    }

    private static void WriteBody(Message message, IFrameWriter writer)
    {
        for (var i = 1; i < message.Count; i++) writer.WriteFrame(message[i].Span, i < message.Count - 1);
    }

    /// <summary>An identity given to whoever is at an endpoint, for as long as that is connected to.</summary>
    private sealed class Reservation(RouterSocket socket, byte[] identity) : IDisposable
    {
        public byte[] Identity => identity;

        public void Dispose() => socket.Free(identity);
    }
}
