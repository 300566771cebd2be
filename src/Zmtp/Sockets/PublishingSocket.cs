using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>What PUB and XPUB share: every message goes to each peer that subscribed to a prefix of its first frame (29/PUBSUB).</summary>
/// <remarks>The file holds the publishing half of the pattern. A peer at its high-water mark misses the message; misses are counted.</remarks>
public abstract class PublishingSocket : ZmtpSocket
{
    private long _dropped;

    private protected PublishingSocket(SocketType type, ZmtpOptions? options)
        : base(type, options)
    {
    }

    /// <summary>Messages that a subscriber missed because it was at its high-water mark.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Sends to every subscriber that wants it and has room. The message is taken over.</summary>
    /// <returns>Number of peers it was queued to.</returns>
    public int Send(Message message)
    {
        var sent = 0;
        foreach (var peer in Peers)
        {
            var subscriptions = (Subscriptions)peer.Tag!;
            bool wanted;
            lock (subscriptions) wanted = subscriptions.Prefixes.Matches(message[0].Span);
            if (!wanted) continue;
            if (peer.TrySend(message)) sent++;
            else Interlocked.Increment(ref _dropped);
        }

        message.Dispose();
        return sent;
    }

    internal override ForwardOutcome Forward(in Parcel parcel, FlushBatch batch)
    {
        var topic = parcel.First;
        foreach (var peer in Peers)
        {
            var subscriptions = (Subscriptions)peer.Tag!;
            bool wanted;
            lock (subscriptions) wanted = subscriptions.Prefixes.Matches(topic);
            if (wanted && !peer.TryForward(parcel, batch)) Interlocked.Increment(ref _dropped);
        }

        return ForwardOutcome.Sent;
    }

    private protected override bool Subscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe)
    {
        var subscriptions = (Subscriptions)peer.Tag!;
        bool changed;
        lock (subscriptions)
        {
            if (subscribe && (subscriptions.Prefixes.Count >= Options.MaxSubscriptions || subscriptions.Prefixes.Bytes + PrefixSet.Cost(topic) > Options.MaxSubscriptionBytes)) return false;
            // A set per connection: subscribing twice is once, taking back what nobody holds is nothing.
            changed = subscribe ? subscriptions.Prefixes.Add(topic) : subscriptions.Prefixes.Remove(topic);
        }

        if (changed) Notify(subscriptions, topic, subscribe);
        return true;
    }

    private protected virtual void Notify(Subscriptions subscriptions, ReadOnlySpan<byte> topic, bool subscribe)
    {
    }

    internal sealed class Subscriptions
    {
        public PrefixSet Prefixes { get; } = new();

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

/// <summary>XPUB: PUB that also receives: <c>01 topic</c> when a topic gets its first subscriber, <c>00 topic</c> when it loses its last, and what subscribers send.</summary>
public sealed class XPubSocket : PublishingSocket
{
    private readonly FairQueue _in;
    private readonly Dictionary<byte[], int> _holders = new(ByteKey.Comparer);

    /// <summary>Makes one.</summary>
    public XPubSocket(ZmtpOptions? options = null)
        : base(SocketType.XPub, options) => _in = new FairQueue(Options);

    /// <summary>Waits for the next subscription or message. The caller owns it.</summary>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) => (await _in.ReceiveAsync(cancellationToken)).Message;

    /// <summary>Takes what is here already. The caller owns it.</summary>
    public bool TryReceive([NotNullWhen(true)] out Message? message) => _in.TryReceive(out message, out _);

    private protected override IFrameSink Attach(Peer peer)
    {
        var pipe = PipeFor(_in, peer);
        peer.Tag = new Subscriptions { Pipe = pipe };
        return pipe;
    }

    private protected override void Detach(Peer peer)
    {
        var subscriptions = (Subscriptions)peer.Tag!;
        byte[][] left;
        lock (subscriptions) left = [.. subscriptions.Prefixes.All()];
        foreach (var topic in left) Notify(subscriptions, topic, subscribe: false);
    }

    private protected override void Notify(Subscriptions subscriptions, ReadOnlySpan<byte> topic, bool subscribe)
    {
        lock (_holders)
        {
            var lookup = _holders.GetAlternateLookup<ReadOnlySpan<byte>>();
            lookup.TryGetValue(topic, out var holders);
            holders += subscribe ? 1 : -1;
            if (holders == 0) lookup.Remove(topic);
            else lookup[topic] = holders;
            if (subscribe ? holders != 1 : holders != 0) return;
            var message = Message.Create();
            message.AppendBytes([subscribe ? (byte)1 : (byte)0]);
            message.AppendBytes(topic);
            message.EndFrame();
            subscriptions.Pipe!.Enqueue(message);
        }
    }

    private protected override void OnDisposed() => _in.Dispose();
}
