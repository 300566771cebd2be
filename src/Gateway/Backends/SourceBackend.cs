using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Backends;

/// <summary>A SUB, XSUB or PULL backend: each peer's read loop feeds a sink of the consumer.</summary>
internal sealed class SourceBackend : ZmtpBackend, IMessageSource
{
    private readonly Lock _gate = new();
    private readonly HashSet<ReadOnlyMemory<byte>> _prefixes = new(MemoryComparer.Instance);
    private readonly bool _subscribes;
    private Func<IFrameSink>? _sinkForPeer;
    private Peer[] _peers = [];

    public SourceBackend(string name, BackendOptions options, SocketType type, ZmtpOptions socket, ILogger logger)
        : base(name, options, type, socket, logger) => _subscribes = type != SocketType.Pull;

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
        }

        return _sinkForPeer!();
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
        }
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
