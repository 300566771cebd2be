using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Backends;

/// <summary>A SUB, XSUB, PULL, GATHER or DISH backend: each peer's read loop feeds a sink of the consumer.</summary>
internal sealed class SourceBackend : ZmtpBackend, IMessageSource
{
    private readonly Lock _gate = new();
    private readonly HashSet<ReadOnlyMemory<byte>> _prefixes = new(MemoryComparer.Instance);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);
    private readonly SocketType _type;
    private readonly bool _subscribes;
    private readonly BackendMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ITimer _silence;
    private bool _toldSilence;
    private Func<IFrameSink>? _sinkForPeer;
    private Peer[] _peers = [];

    public SourceBackend(string name, BackendOptions options, SocketType type, ZmtpOptions socket, BackendLog log, BackendMetrics metrics)
        : base(name, options, type, socket, log)
    {
        (_type, _metrics) = (type, metrics);
        _subscribes = type is not (SocketType.Pull or SocketType.Gather);
        _time = socket.Time;
        _silence = _time.CreateTimer(static s => ((SourceBackend)s!).TellSilence(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public override string? Notice
    {
        get
        {
            var peers = Volatile.Read(ref _peers);
            if (peers.Length == 0) return null;
            if (peers.Any(peer => peer.MessagesIn > 0)) return Diagnosis?.Invoke();
            int prefixes;
            lock (_gate) prefixes = _prefixes.Count;
            if (!_subscribes) return "connected, but nothing has been pushed yet";
            return prefixes == 0
                ? "connected; no client has subscribed, so nothing is asked for"
                : $"connected, but nothing has arrived: the service publishes nothing, or nothing {(_type == SocketType.Dish ? "in group" : "that begins with")} {Wanted()}";
        }
    }

    /// <inheritdoc/>
    public Func<string?>? Diagnosis { get; set; }

    protected override bool HasPeers => _peers.Length > 0;

    /// <inheritdoc/>
    public void Start(Func<IFrameSink> sinkForPeer)
    {
        _sinkForPeer = sinkForPeer;
        Open();
    }

    /// <inheritdoc/>
    public void Subscribe(ReadOnlyMemory<byte> prefix) => Change(prefix, subscribe: true);

    /// <inheritdoc/>
    public void Unsubscribe(ReadOnlyMemory<byte> prefix) => Change(prefix, subscribe: false);

    /// <inheritdoc/>
    public override IFrameSink? PeerReady(Peer peer)
    {
        lock (_gate)
        {
            _peers = [.. _peers, peer];
            // Under the lock: a subscription made now reaches the peer once, here or in Change.
            foreach (var prefix in _prefixes) peer.SendSubscription(prefix.Span, subscribe: true);
            WatchForSilence();
        }

        var sink = _sinkForPeer!();
        return _type is SocketType.Gather or SocketType.Dish ? new SinglePartSink(sink, hasGroup: _type == SocketType.Dish, () => _metrics.DroppedMultipart(Name)) : sink;
    }

    /// <inheritdoc/>
    public override void PeerGone(Peer peer)
    {
        lock (_gate) _peers = [.. _peers.Where(p => p != peer)];
    }

    private void Change(ReadOnlyMemory<byte> prefix, bool subscribe)
    {
        if (!_subscribes) return;
        lock (_gate)
        {
            if (!(subscribe ? _prefixes.Add(prefix) : _prefixes.Remove(prefix))) return;
            foreach (var peer in _peers) peer.SendSubscription(prefix.Span, subscribe);
            WatchForSilence();
        }
    }

    protected override void Disposed() => _silence.Dispose();

    /// <summary>Somebody waits for messages of a connected peer: if none has come in a while, that is said, once.</summary>
    private void WatchForSilence()
    {
        if (!_toldSilence && _peers.Length > 0 && (_prefixes.Count > 0 || !_subscribes)) _silence.Change(Silence, Timeout.InfiniteTimeSpan);
    }

    private void TellSilence()
    {
        if (Notice is not { } notice) return;
        lock (_gate)
        {
            if (_toldSilence || (_prefixes.Count == 0 && _subscribes)) return;
            _toldSilence = true;
        }

        Log.Silent(notice);
    }

    private string Wanted()
    {
        lock (_gate)
        {
            var names = _prefixes.Take(3).Select(prefix => $"\"{Printable(prefix.Span)}\"");
            return string.Join(" or ", names) + (_prefixes.Count > 3 ? $" or {_prefixes.Count - 3} other prefixes" : "");
        }
    }

    private static string Printable(ReadOnlySpan<byte> prefix)
    {
        var text = new System.Text.StringBuilder();
        foreach (var octet in prefix[..Math.Min(prefix.Length, 40)]) text.Append(octet is >= 0x20 and < 0x7F ? (char)octet : '.');
        return text.ToString();
    }

    private sealed class MemoryComparer : IEqualityComparer<ReadOnlyMemory<byte>>
    {
        public static readonly MemoryComparer Instance = new();

        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<byte> obj)
        {
            var hash = new HashCode();
            hash.AddBytes(obj.Span);
            return hash.ToHashCode();
        }
    }
}
