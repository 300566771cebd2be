using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>What PUB and XPUB share: every message goes to each peer that subscribed to a prefix of its first frame (29/PUBSUB).</summary>
/// <remarks>A peer at its high-water mark misses the message; misses are counted. With <see cref="ZmtpOptions.XPubNoDrop"/> none misses any.</remarks>
public abstract class PublishingSocket : ZmtpSocket
{
    private readonly Lock _publishing = new();
    private readonly ChangeSignal _signal = new();
    private long _dropped;

    private protected PublishingSocket(SocketType type, ZmtpOptions? options)
        : base(type, options)
    {
    }

    /// <summary>Messages that a subscriber missed because it was at its high-water mark.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Sends to every subscriber that wants it and has room. The message is taken over, unless it fails.</summary>
    /// <returns>Number of peers it was queued to.</returns>
    /// <exception cref="ZmtpException">With <see cref="ZmtpOptions.XPubNoDrop"/>: a subscriber that wants it is at its high-water mark (libzmq: EAGAIN).</exception>
    public int Send(Message message) =>
        Publish(message) ?? throw new ZmtpException("A subscriber is at its high-water mark; with XPubNoDrop, SendOrWaitAsync waits for it.");

    /// <summary>Sends to every subscriber that wants it and has room. The message is taken over when the answer is true.</summary>
    /// <returns>False only with <see cref="ZmtpOptions.XPubNoDrop"/>, when a subscriber that wants it is at its high-water mark (libzmq: EAGAIN).</returns>
    public bool TrySend(Message message) => Publish(message) is not null;

    /// <summary>Sends to every subscriber that wants it; with <see cref="ZmtpOptions.XPubNoDrop"/> it waits until all of them have room.</summary>
    /// <returns>Number of peers it was queued to.</returns>
    /// <exception cref="TimeoutException">Not all had room within <see cref="ZmtpOptions.SendTimeout"/>.</exception>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask<int> SendOrWaitAsync(Message message, CancellationToken cancellationToken = default)
    {
        var sent = Publish(message);
        if (sent is null) await Patience.SendAsync(Options, _signal, () => (sent = Publish(message)) is null ? null : this, "Not every subscriber", cancellationToken);
        return sent ?? 0;
    }

    internal override ForwardOutcome Forward(in Parcel parcel, FlushBatch batch)
    {
        var topic = parcel.First;
        var audience = Audience();
        if (!Options.XPubNoDrop)
        {
            Forward(audience, topic, parcel, batch);
            return ForwardOutcome.Sent;
        }

        lock (_publishing)
        {
            if (!HaveRoom(audience, topic)) return ForwardOutcome.Full;
            Forward(audience, topic, parcel, batch);
            return ForwardOutcome.Sent;
        }
    }

    /// <summary>The peers that the next message may go to.</summary>
    private protected virtual Peer[] Audience() => Peers;

    /// <summary>A message went to its audience.</summary>
    private protected virtual void Published()
    {
    }

    private protected override bool Subscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe)
    {
        var subscriptions = (Subscriptions)peer.Tag!;
        bool changed;
        lock (subscriptions)
        {
            // A set per connection: subscribing twice is once, taking back what nobody holds is nothing.
            var set = subscriptions.Asked ?? subscriptions.Prefixes;
            if (subscribe && (set.Count >= Options.MaxSubscriptions || set.Bytes + PrefixSet.Cost(topic) > Options.MaxSubscriptionBytes)) return false;
            changed = subscribe ? set.Add(topic) : set.Remove(topic);
        }

        Notify(subscriptions, topic, subscribe, changed);
        return true;
    }

    private protected override void Greet(Peer peer)
    {
        if (Options.WelcomeMessage.Length > 0) SendOwn(peer, Options.WelcomeMessage);
    }

    private protected override void Writable(Peer peer) => _signal.Changed();

    private protected override void Detach(Peer peer) => _signal.Changed();

    private protected override void OnDisposed() => _signal.Close();

    /// <param name="changed">Whether the peer's set of subscriptions is another one now.</param>
    private protected virtual void Notify(Subscriptions subscriptions, ReadOnlySpan<byte> topic, bool subscribe, bool changed)
    {
    }

    /// <returns>Number of peers it was queued to; null when it has to wait, and is still the caller's.</returns>
    private int? Publish(Message message)
    {
        var audience = Audience();
        if (!Options.XPubNoDrop) return Publish(audience, message);
        // Looking and sending are one step, or another sender could take the room in between.
        lock (_publishing) return HaveRoom(audience, message[0].Span) ? Publish(audience, message) : null;
    }

    private int Publish(Peer[] audience, Message message)
    {
        var sent = 0;
        foreach (var peer in audience)
        {
            if (!Wants(peer, message[0].Span)) continue;
            if (peer.TrySend(message)) sent++;
            else Interlocked.Increment(ref _dropped);
        }

        message.Dispose();
        Published();
        return sent;
    }

    private void Forward(Peer[] audience, ReadOnlySpan<byte> topic, in Parcel parcel, FlushBatch batch)
    {
        foreach (var peer in audience)
        {
            if (Wants(peer, topic) && !peer.TryForward(parcel, batch)) Interlocked.Increment(ref _dropped);
        }

        Published();
    }

    private bool HaveRoom(Peer[] audience, ReadOnlySpan<byte> topic)
    {
        foreach (var peer in audience)
        {
            if (!Wants(peer, topic) || peer.IsWritable) continue;
            // Full perhaps only because nothing was sent yet.
            peer.Flush();
            if (!peer.IsWritable) return false;
        }

        return true;
    }

    private bool Wants(Peer peer, ReadOnlySpan<byte> topic)
    {
        var subscriptions = (Subscriptions)peer.Tag!;
        lock (subscriptions) return subscriptions.Prefixes.Matches(topic) != Options.InvertMatching;
    }

    internal sealed class Subscriptions
    {
        public PrefixSet Prefixes { get; } = new();

        /// <summary>XPubManual: what the peer asked for, which the application may grant; else null.</summary>
        public PrefixSet? Asked { get; init; }

        public IncomingPipe? Pipe { get; init; }
    }
}

/// <summary>PUB: publishes to subscribers.</summary>
public sealed class PubSocket(ZmtpOptions? options = null) : PublishingSocket(SocketType.Pub, options)
{
    private protected override IFrameSink Attach(Peer peer)
    {
        peer.Tag = new Subscriptions();
        return new DiscardingSink();
    }
}
