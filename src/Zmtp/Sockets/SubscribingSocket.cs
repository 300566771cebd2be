using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>What SUB and XSUB share: subscriptions are counted, sent once to every peer, and sent again whenever a peer comes back (29/PUBSUB).</summary>
/// <remarks>The file holds the subscribing half of the pattern. Subscriptions are exempt from high-water marks: none is lost on a reconnect.</remarks>
public abstract class SubscribingSocket : ZmtpSocket
{
    private readonly Dictionary<byte[], int> _counts = new(ByteKey.Comparer);
    private readonly PrefixSet _prefixes = new();
    private readonly FairQueue _in;
    private readonly bool _filters;

    private protected SubscribingSocket(SocketType type, ZmtpOptions? options, bool filters)
        : base(type, options)
    {
        _in = new FairQueue(Options);
        _filters = filters;
    }

    /// <summary>Subscribes to a prefix of the first frame; empty for everything. Counted: as many calls of Unsubscribe take it back.</summary>
    public void Subscribe(ReadOnlySpan<byte> prefix)
    {
        lock (Gate)
        {
            var counts = _counts.GetAlternateLookup<ReadOnlySpan<byte>>();
            counts.TryGetValue(prefix, out var count);
            counts[prefix] = count + 1;
            if (count > 0) return;
            _prefixes.Add(prefix);
            foreach (var peer in Peers) peer.SendSubscription(prefix, subscribe: true);
        }
    }

    /// <summary>Subscribes to a prefix, as UTF-8.</summary>
    public void Subscribe(string prefix) => Subscribe(System.Text.Encoding.UTF8.GetBytes(prefix));

    /// <summary>Takes a subscription back. One that does not exist is no error.</summary>
    public void Unsubscribe(ReadOnlySpan<byte> prefix)
    {
        lock (Gate)
        {
            var counts = _counts.GetAlternateLookup<ReadOnlySpan<byte>>();
            if (!counts.TryGetValue(prefix, out var count)) return;
            if (count > 1)
            {
                counts[prefix] = count - 1;
                return;
            }

            counts.Remove(prefix);
            _prefixes.Remove(prefix);
            foreach (var peer in Peers) peer.SendSubscription(prefix, subscribe: false);
        }
    }

    /// <summary>Waits for the next message. The caller owns it.</summary>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) => (await _in.ReceiveAsync(cancellationToken)).Message;

    /// <summary>Takes a message that is here already. The caller owns it.</summary>
    public bool TryReceive([NotNullWhen(true)] out Message? message) => _in.TryReceive(out message, out _);

    internal override ForwardOutcome Forward(in Parcel parcel, FlushBatch batch)
    {
        var first = parcel.First;
        if (parcel.Count == 1 && first.Length > 0 && first[0] <= 1)
        {
            if (first[0] == 1) Subscribe(first[1..]);
            else Unsubscribe(first[1..]);
            return ForwardOutcome.Sent;
        }

        // SUB takes subscriptions only.
        if (_filters) return ForwardOutcome.Dropped;
        foreach (var peer in Peers) peer.TryForward(parcel, batch);
        return ForwardOutcome.Sent;
    }

    private protected override IFrameSink Attach(Peer peer)
    {
        // Under the lock: a subscription made now reaches the peer once, here or in Subscribe.
        foreach (var prefix in _prefixes.All()) peer.SendSubscription(prefix, subscribe: true);
        return PipeFor(_in, peer, filter: _filters ? Wanted : null);
    }

    private protected override void OnDisposed() => _in.Dispose();

    /// <summary>A publisher may send more than was asked for (it has not seen a CANCEL yet).</summary>
    private bool Wanted(Message message)
    {
        lock (Gate) return _prefixes.Matches(message[0].Span) != Options.InvertMatching;
    }
}

/// <summary>SUB: receives what it subscribed to.</summary>
public sealed class SubSocket(ZmtpOptions? options = null) : SubscribingSocket(SocketType.Sub, options, filters: true);

/// <summary>XSUB: SUB without a local filter that can also send to publishers.</summary>
public sealed class XSubSocket(ZmtpOptions? options = null) : SubscribingSocket(SocketType.XSub, options, filters: false)
{
    /// <summary>Sends to all publishers that have room. <c>01 topic</c> and <c>00 topic</c> subscribe and unsubscribe. The message is taken over.</summary>
    public void Send(Message message)
    {
        using (message)
        {
            var first = message[0].Span;
            if (message.Count == 1 && first.Length > 0 && first[0] == 1) Subscribe(first[1..]);
            else if (message.Count == 1 && first.Length > 0 && first[0] == 0) Unsubscribe(first[1..]);
            else foreach (var peer in Peers) peer.TrySend(message);
        }
    }
}
