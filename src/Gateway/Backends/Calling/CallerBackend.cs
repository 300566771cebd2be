using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Gateway.Backends.Calling;

/// <summary>A REQ, DEALER or CLIENT backend: its connections are the lanes of a <see cref="Caller"/>.</summary>
internal sealed class CallerBackend : ZmtpBackend, ICaller, ILaneConnections
{
    // A call that finds nobody connected starts an attempt at once, but not more often than this per endpoint.
    private static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(100);
    private readonly BackendOptions _options;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Circuit> _circuits = new(StringComparer.Ordinal);
    private readonly Caller _caller;
    private readonly bool _oneAtATime;

    public CallerBackend(string name, BackendOptions options, ZmtpOptions socket, TimeProvider time, BackendLog log, BackendMetrics metrics)
        : base(name, options, TypeOf(options), WithoutMessageMark(socket), log)
    {
        (_options, _oneAtATime) = (options, TypeOf(options) == SocketType.Client);
        _caller = new Caller(name, options, this, time, metrics, _oneAtATime);
        foreach (var endpoint in options.Connect) _caller.Pool.Opened(ZmtpEndpoint.Parse(endpoint).ToString());
        Open();
    }

    /// <inheritdoc cref="Caller.LateReplies"/>
    public long LateReplies => _caller.LateReplies;

    /// <inheritdoc cref="Caller.BadEnvelopes"/>
    public long BadEnvelopes => _caller.BadEnvelopes;

    /// <inheritdoc cref="Caller.InFlight"/>
    public int InFlight => _caller.InFlight;

    /// <summary>Whether calls are taken: a peer is connected whose circuit is not open.</summary>
    public override bool IsReady => HasPeers && _caller.Pool.OpenCircuits() is null;

    /// <inheritdoc/>
    public override string? WhyNotReady => _caller.Pool.OpenCircuits() ?? base.WhyNotReady;

    /// <inheritdoc/>
    public override IReadOnlyList<EndpointStatus> Endpoints => [.. base.Endpoints.Select(WithCircuit)];

    protected override bool HasPeers => _caller.Pool.Lanes.Length > 0;

    /// <inheritdoc/>
    public ValueTask CallAsync(ICall call, TimeSpan timeout, bool repeatable, CancellationToken cancellationToken) =>
        _caller.CallAsync(call, timeout, repeatable, cancellationToken);

    /// <inheritdoc/>
    public override IFrameSink PeerReady(Peer peer)
    {
        Circuit? circuit;
        lock (_gate)
        {
            var key = KeyOf(peer);
            if (!_circuits.TryGetValue(key, out circuit)) _circuits[key] = circuit = new Circuit(_options.Circuit, _caller.Time);
        }

        // A new connection where there was none starts fresh: what timed out may be another process by now.
        if (!Array.Exists(_caller.Pool.Lanes, lane => lane.Circuit == circuit)) circuit.Reset();
        PeerLane made = _oneAtATime ? new ExclusiveLane(_caller, peer, circuit) : new MultiplexedLane(_caller, peer, circuit);
        peer.Tag = made;
        _caller.Pool.Add(made);
        return _oneAtATime ? new SinglePartSink(made, hasGroup: false, _caller.BadEnvelope) : made;
    }

    /// <inheritdoc/>
    public override void PeerGone(Peer peer)
    {
        _caller.Pool.Remove((ILane)peer.Tag!);
        // An accepted peer's address does not come back; its circuit goes with it.
        if (peer.IsOutgoing) return;
        lock (_gate) _circuits.Remove(peer.Remote);
    }

    void ILaneConnections.Connect(string endpoint) => Set.Connect(endpoint);

    bool ILaneConnections.RetryNow() => Set.RetryNow(RetryEvery);

    protected override void Told(in SocketEvent e)
    {
        if (e.Kind is SocketEventKind.Retrying or SocketEventKind.Stopped or SocketEventKind.HandshakeFailed) _caller?.Pool.Changed();
    }

    protected override void Disposed() => _caller.Dispose();

    private static SocketType TypeOf(BackendOptions options) =>
        options.Socket.Equals("CLIENT", StringComparison.OrdinalIgnoreCase) ? SocketType.Client : SocketType.Dealer;

    private static ZmtpOptions WithoutMessageMark(ZmtpOptions socket)
    {
        // MaxInFlight bounds the calls; the mark in bytes stays.
        socket.SendHighWaterMark = 0;
        return socket;
    }

    private static string KeyOf(Peer peer) => peer.IsOutgoing ? peer.Endpoint : peer.Remote;

    private EndpointStatus WithCircuit(EndpointStatus status) =>
        status.State == EndpointWords.Ready
            && Array.Exists(_caller.Pool.Lanes, lane => lane.Circuit.IsOpen && KeyOf(lane.Peer) == status.Endpoint)
            ? status with { State = EndpointWords.NotAnswering,
                LastError = $"timed out {_options.Circuit.Failures} times in a row; left alone for {_options.Circuit.Break}" }
            : status;
}
