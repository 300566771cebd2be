using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>
/// XPUB: PUB that also receives: <c>01 topic</c> when a topic gets its first subscriber, <c>00 topic</c> when it loses its last, and what
/// subscribers send. The options XPub… change what is told, and who decides about subscriptions.
/// </summary>
public sealed class XPubSocket : PublishingSocket
{
    private readonly FairQueue _in;
    private readonly Dictionary<byte[], int> _holders = new(ByteKey.Comparer);
    private readonly bool _isManual;
    private Peer? _last;

    /// <summary>Makes one.</summary>
    public XPubSocket(ZmtpOptions? options = null)
        : base(SocketType.XPub, options)
    {
        _in = new FairQueue(Options);
        _isManual = Options.XPubManual || Options.XPubManualLastValue;
    }

    /// <summary>Waits for the next subscription or message. The caller owns it.</summary>
    /// <exception cref="TimeoutException">None came within <see cref="ZmtpOptions.ReceiveTimeout"/>.</exception>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default)
    {
        var (message, peer) = await _in.ReceiveAsync(cancellationToken);
        Volatile.Write(ref _last, peer);
        return message;
    }

    /// <summary>Takes what is here already. The caller owns it.</summary>
    public bool TryReceive([NotNullWhen(true)] out Message? message)
    {
        if (!_in.TryReceive(out message, out var peer)) return false;
        Volatile.Write(ref _last, peer);
        return true;
    }

    /// <summary>XPubManual: subscribes the peer whose subscription was received last. Without one nothing happens.</summary>
    /// <exception cref="InvalidOperationException">Neither <see cref="ZmtpOptions.XPubManual"/> nor XPubManualLastValue is set.</exception>
    public void Subscribe(ReadOnlySpan<byte> topic) => Change(topic, subscribe: true);

    /// <summary>XPubManual: takes a subscription of the peer whose subscription was received last back.</summary>
    /// <exception cref="InvalidOperationException">Neither <see cref="ZmtpOptions.XPubManual"/> nor XPubManualLastValue is set.</exception>
    public void Unsubscribe(ReadOnlySpan<byte> topic) => Change(topic, subscribe: false);

    private protected override Peer[] Audience()
    {
        if (!Options.XPubManualLastValue || Volatile.Read(ref _last) is not { } last) return Peers;
        return Array.IndexOf(Peers, last) < 0 ? [] : [last];
    }

    private protected override void Published()
    {
        if (Options.XPubManualLastValue) Volatile.Write(ref _last, null);
    }

    private protected override IFrameSink Attach(Peer peer)
    {
        var pipe = PipeFor(_in, peer);
        peer.Tag = new Subscriptions { Pipe = pipe, Asked = _isManual ? new PrefixSet() : null };
        return pipe;
    }

    private protected override void Detach(Peer peer)
    {
        base.Detach(peer);
        Interlocked.CompareExchange(ref _last, null, peer);
        var subscriptions = (Subscriptions)peer.Tag!;
        byte[][] left;
        lock (subscriptions) left = [.. (subscriptions.Asked ?? subscriptions.Prefixes).All()];
        foreach (var topic in left) Notify(subscriptions, topic, subscribe: false, changed: true);
    }

    private protected override void Notify(Subscriptions subscriptions, ReadOnlySpan<byte> topic, bool subscribe, bool changed)
    {
        lock (_holders)
        {
            // Under the lock also when it is not needed to count: what is told has the order of what happened.
            if (!Count(topic, subscribe, changed) && !IsVerbose(subscribe)) return;
            var message = Message.Create();
            message.AppendBytes([subscribe ? (byte)1 : (byte)0]);
            message.AppendBytes(topic);
            message.EndFrame();
            subscriptions.Pipe!.Enqueue(message);
        }
    }

    private protected override void OnDisposed()
    {
        base.OnDisposed();
        _in.Dispose();
    }

    private bool IsVerbose(bool subscribe) => _isManual || Options.XPubVerboser || (subscribe && Options.XPubVerbose);

    /// <returns>Whether the topic got its first holder or lost its last.</returns>
    private bool Count(ReadOnlySpan<byte> topic, bool subscribe, bool changed)
    {
        if (!changed) return false;
        var lookup = _holders.GetAlternateLookup<ReadOnlySpan<byte>>();
        lookup.TryGetValue(topic, out var holders);
        holders += subscribe ? 1 : -1;
        if (holders == 0) lookup.Remove(topic);
        else lookup[topic] = holders;
        return subscribe ? holders == 1 : holders == 0;
    }

    private void Change(ReadOnlySpan<byte> topic, bool subscribe)
    {
        if (!_isManual) throw new InvalidOperationException("An XPUB socket subscribes its peers itself only with XPubManual.");
        if (Volatile.Read(ref _last)?.Tag is not Subscriptions subscriptions) return;
        lock (subscriptions)
        {
            if (subscribe) subscriptions.Prefixes.Add(topic);
            else subscriptions.Prefixes.Remove(topic);
        }
    }
}
