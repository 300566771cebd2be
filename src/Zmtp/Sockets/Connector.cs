using Zmtp.Transports;
using Zmtp.Transports.WebSockets;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>Keeps one connection to an endpoint: connects, runs it, waits, connects again, until it is stopped.</summary>
/// <param name="tag">Given to each peer that comes about here, as its <see cref="Peer.Tag"/>; disposed with the connector. Or null.</param>
internal sealed class Connector(PeerSet set, ZmtpEndpoint endpoint, IDisposable? tag = null) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly string _text = endpoint.ToString();
    private Task _running = Task.CompletedTask;
    private Peer? _current;
    private EndpointPhase _phase = EndpointPhase.Connecting;
    private string? _lastError;
    private DateTimeOffset _since = set.Options.Time.GetUtcNow();
    // A connection that ends sooner counts as a failure: a peer that shakes hands and leaves must not be dialled without pause.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(1);
    private QueuedPeer? _queue;
    private int _failures;
    private bool _handshakeFailed;
    private bool _bareOnly;
    private long _attemptedAt;
    private TaskCompletionSource? _waiting;
    private bool _wasReady;

    public string Endpoint => _text;

    public EndpointState State
    {
        get
        {
            lock (_gate) return new EndpointState(_text, EndpointRole.Connect, _phase, _lastError, _since, _phase == EndpointPhase.Ready ? _current : null);
        }
    }

    /// <summary>What is lingered for.</summary>
    public Peer? Pipe => _queue ?? State.Peer;

    public void Start()
    {
        _queue = set.LastingQueue(_text);
        if (_queue is not null)
        {
            _queue.Tag = tag;
            // A socket that takes no further peer now may take it when it is ready.
            if (!_queue.Open()) _queue = null;
        }

        // On the pool: connecting may complete at once, and then a whole connection would run in the caller's thread.
        _running = Task.Run(RunAsync);
    }

    /// <summary>Ends the wait before the next attempt, if the last one began long enough ago.</summary>
    /// <returns>Whether an attempt is under way, or the peer is ready.</returns>
    public bool TryNow(TimeSpan every)
    {
        lock (_gate)
        {
            if (_phase is EndpointPhase.Connecting or EndpointPhase.Handshaking or EndpointPhase.Ready) return true;
            if (_phase is not (EndpointPhase.BackingOff or EndpointPhase.Refused)) return false;
            // The wait has just ended by itself.
            if (_waiting is null) return true;
            // A peer that was there a moment ago is not known to be down; the next attempt tells.
            if (set.Options.Time.GetElapsedTime(_attemptedAt) < every) return _wasReady;
            // Told at once, so that who asks next sees the attempt that is about to begin.
            _phase = EndpointPhase.Connecting;
            _waiting.TrySetResult();
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _queue?.Close();
        tag?.Dispose();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            _attemptedAt = set.Options.Time.GetTimestamp();
            Enter(EndpointPhase.Connecting, null);
            _handshakeFailed = false;
            set.Raise(SocketEventKind.Connecting, _text, "");
            var wasReady = false;
            Exception? error;
            try
            {
                (wasReady, error) = endpoint.Scheme == "inproc" ? await RunInprocAsync() : await RunLinkAsync();
            }
            catch (Exception e)
            {
                error = e;
            }

            if (_stopping.IsCancellationRequested) break;
            if (IsStoppedBy(error))
            {
                Failed(EndpointPhase.Stopped, error);
                set.Raise(SocketEventKind.Stopped, _text, "", error);
                return;
            }

            await BackOffAsync(wasReady, error);
        }

        Enter(EndpointPhase.Closed, null);
        set.Raise(SocketEventKind.Closed, _text, "");
    }

    private bool IsStoppedBy(Exception? error) => set.Options.ReconnectMin == Timeout.InfiniteTimeSpan
        || (set.Options.ReconnectStop.HasFlag(ReconnectStop.ConnectionRefused) && error is System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.ConnectionRefused })
        || (set.Options.ReconnectStop.HasFlag(ReconnectStop.HandshakeFailed) && _handshakeFailed);

    private async Task<(bool WasReady, Exception? Error)> RunLinkAsync()
    {
        var link = await SocketTransport.ConnectAsync(endpoint, set.Options, _bareOnly, _stopping.Token);
        set.Raise(SocketEventKind.Connected, _text, link.Remote);
        Enter(EndpointPhase.Handshaking, null);
        LinkPeer peer = null!;
        peer = set.MakePeer(link, _text, isOutgoing: true, () => Enter(EndpointPhase.Ready, peer), _queue);
        (peer.Queue ?? (Peer)peer).Tag ??= tag;
        var error = await peer.RunAsync(_stopping.Token);
        if (_stopping.IsCancellationRequested) return (peer.WasReady, error);
        // The slash of ZWS2.0/NULL is no character of a subprotocol (RFC 6455, 4.1), and strict servers such as jszmq's refuse a list that has it.
        _bareOnly = _bareOnly ? peer.WasReady : error is ZmtpProtocolException { Error: ProtocolError.UpgradeFailed } && WebSocketTransport.MayBeBare(set.Options);
        _handshakeFailed = !peer.WasReady && !_bareOnly;
        set.Raise(peer.WasReady ? SocketEventKind.Disconnected : SocketEventKind.HandshakeFailed, _text, link.Remote, error);
        return (peer.WasReady, error);
    }

    private async Task<(bool WasReady, Exception? Error)> RunInprocAsync()
    {
        InprocListener? listener;
        while ((listener = set.Options.Inproc.Find(endpoint.Host, out var changed)) is null) await changed.WaitAsync(_stopping.Token);
        var other = listener.Set;
        if (!set.Type.Accepts(other.Type))
            return (false, new ZmtpProtocolException(ProtocolError.IncompatibleSocketType, $"the peer is a {other.Type.Name()}, ours is a {set.Type.Name()}"));
        var queue = _queue ?? set.ConflatingQueue(_text, isOutgoing: true);
        var theirQueue = other.ConflatingQueue(listener.Endpoint, isOutgoing: false);
        var ours = new InprocPeer(_text, true, set.OptionsOf(queue), (IPeerOwner?)queue ?? set.Owner) { Tag = tag };
        var theirs = new InprocPeer(listener.Endpoint, false, other.OptionsOf(theirQueue), (IPeerOwner?)theirQueue ?? other.Owner);
        InprocPeer.Join(ours, set.Type, set.Options.Identity, theirs, other.Type, other.Options.Identity);
        if (!other.Adopt(theirs)) return (false, new ZmtpException($"{_text} is being closed."));
        Enter(EndpointPhase.Ready, ours);
        await using var stop = _stopping.Token.UnsafeRegister(static peer => ((InprocPeer)peer!).Abort(new OperationCanceledException()), ours);
        // The publisher first: the subscriber's first act is to subscribe, at a side that must know its peer by then.
        var (first, second) = set.Type is SocketType.Pub or SocketType.XPub or SocketType.Radio ? (ours, theirs) : (theirs, ours);
        if (first.Open()) second.Open();
        var error = await ours.Ended;
        set.Raise(SocketEventKind.Disconnected, _text, _text, error);
        return (true, error);
    }

    private async Task BackOffAsync(bool wasReady, Exception? error)
    {
        // It is we who went, and not for anything that the peer did.
        if (wasReady && error is ZmtpAbandonedException)
        {
            set.Raise(SocketEventKind.Retrying, _text, "", error, TimeSpan.Zero);
            return;
        }

        // A peer that refuses or speaks something else may be replaced by a better one, so it is tried again, but rarely.
        var refused = !_bareOnly && error is ZmtpProtocolException { Error: not (ProtocolError.HandshakeTimeout or ProtocolError.HeartbeatTimeout or ProtocolError.SelfConnection) };
        _failures = wasReady && set.Options.Time.GetUtcNow() - _since >= Settled ? 0 : _failures + 1;
        var min = set.Options.ReconnectMin;
        var max = set.Options.ReconnectMax > min ? set.Options.ReconnectMax : min;
        var ceiling = refused ? max : TimeSpan.FromTicks((long)Math.Min(max.Ticks, min.Ticks * Math.Pow(2, Math.Min(_failures, 30))));
        // Always jittered, over the upper half: many gateways must not come back in step.
        var delay = ceiling * (0.5 + (set.Options.Jitter() / 2));
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate) (_waiting, _wasReady) = (waiting, wasReady);
        Failed(refused ? EndpointPhase.Refused : EndpointPhase.BackingOff, error);
        set.Raise(SocketEventKind.Retrying, _text, "", error, delay);
        try
        {
            await waiting.Task.WaitAsync(delay, set.Options.Time, _stopping.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            // Stopped: the loop's condition ends it. Or waited long enough.
        }

        lock (_gate) _waiting = null;
    }

    private void Failed(EndpointPhase phase, Exception? error)
    {
        lock (_gate)
        {
            (_phase, _since, _current) = (phase, set.Options.Time.GetUtcNow(), null);
            _lastError = error is null ? "the peer closed the connection" : Words(error);
        }
    }

    private void Enter(EndpointPhase phase, Peer? peer)
    {
        lock (_gate)
        {
            // A connecting endpoint keeps showing why the last attempt failed; a ready one has nothing to explain.
            if (phase == EndpointPhase.Ready) _lastError = null;
            (_phase, _current, _since) = (phase, peer, set.Options.Time.GetUtcNow());
        }

        if (phase == EndpointPhase.Ready) set.Raise(SocketEventKind.Ready, _text, peer!.Remote);
    }

    internal static string Words(Exception error) => error switch
    {
        System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.ConnectionRefused } => "connection refused: nothing listens there",
        System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.AddressNotAvailable } => "no such socket file or address",
        System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.HostNotFound } => "the host's name is not known",
        System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.TimedOut } => "no answer to the attempt to connect",
        _ => error.Message.TrimEnd('.'),
    };
}
