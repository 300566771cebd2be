using System.Runtime.ExceptionServices;
using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Backends;

/// <summary>A REQ, DEALER or CLIENT backend: calls over lanes, each to the ready lane with the fewest in flight.</summary>
/// <remarks>
/// CLIENT has no envelope that a SERVER would return, so nothing tells whose reply one is: its lanes carry one call at a time, further lanes open while
/// all are in use, and one whose call was given up is closed, for the late reply would answer the next call.
/// </remarks>
internal sealed class CallerBackend : ZmtpBackend, ICaller
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(25);
    private readonly BackendOptions _options;
    private readonly TimeProvider _time;
    private readonly BackendMetrics _metrics;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Circuit> _circuits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _connections = new(StringComparer.Ordinal);
    private readonly List<PendingCall> _expired = [];
    private readonly IdleWaiters _waiters = new();
    private readonly bool _oneAtATime;
    private readonly ITimer _timer;
    private TaskCompletionSource _laneReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Lane[] _lanes = [];
    private int _inFlight;
    private int _timerOn;
    private long _lateReplies;
    private long _badEnvelopes;

    public CallerBackend(string name, BackendOptions options, ZmtpOptions socket, TimeProvider time, BackendLog log, BackendMetrics metrics)
        : base(name, options, TypeOf(options), WithoutMessageMark(socket), log)
    {
        _oneAtATime = TypeOf(options) == SocketType.Client;
        (_options, _time, _metrics) = (options, time, metrics);
        _timer = time.CreateTimer(static b => ((CallerBackend)b!).OnTick(), this, System.Threading.Timeout.InfiniteTimeSpan, System.Threading.Timeout.InfiniteTimeSpan);
        foreach (var endpoint in options.Connect) _connections[Zmtp.Transports.ZmtpEndpoint.Parse(endpoint).ToString()] = 1;
        Open();
    }

    /// <summary>Replies that came after their call had timed out or its client had left.</summary>
    public long LateReplies => Volatile.Read(ref _lateReplies);

    /// <summary>Replies without the envelope of a request.</summary>
    public long BadEnvelopes => Volatile.Read(ref _badEnvelopes);

    /// <summary>Calls under way.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    protected override bool HasPeers => _lanes.Length > 0;

    /// <inheritdoc/>
    public ValueTask CallAsync(ICall call, TimeSpan timeout, bool repeatable, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _inFlight) > _options.MaxInFlight)
        {
            CallEnded();
            throw new BackendException(503, "backend-overloaded", $"Backend '{Name}' has {_options.MaxInFlight} calls in flight, its MaxInFlight.");
        }

        var streamed = call.StreamedLength >= 0;
        // A streamed request is waited for from its last byte on.
        var deadline = streamed ? long.MaxValue : After(timeout);
        var pending = PendingCall.Rent(call, timeout, deadline, repeatable && !streamed ? _options.Retry.Attempts : 1);
        try
        {
            if (!streamed && TryDispatch(pending)) return Dispatched(pending, cancellationToken);
        }
        catch
        {
            // The request cannot be written.
            CallEnded();
            throw;
        }

        return streamed ? StreamAsync(pending, cancellationToken) : WaitForLaneAsync(pending, cancellationToken);
    }

    /// <inheritdoc/>
    public override IFrameSink PeerReady(Peer peer)
    {
        TaskCompletionSource? ready = null;
        Lane lane;
        lock (_gate)
        {
            // The circuit is the endpoint's: a new connection to a peer that times out starts where the old one was.
            var key = peer.IsOutgoing ? peer.Endpoint : peer.Remote;
            if (!_circuits.TryGetValue(key, out var circuit)) _circuits[key] = circuit = new Circuit(_options.Circuit, _time);
            lane = new Lane(this, peer, circuit, _oneAtATime);
            peer.Tag = lane;
            _lanes = [.. _lanes, lane];
            if (!_oneAtATime) (ready, _laneReady) = (_laneReady, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        ready?.TrySetResult();
        if (!_oneAtATime) return lane;
        LaneIsIdle();
        return new SinglePartSink(lane, hasGroup: false, CountBadEnvelope);
    }

    /// <inheritdoc/>
    public override void PeerGone(Peer peer)
    {
        lock (_gate)
        {
            _lanes = [.. _lanes.Where(lane => lane != peer.Tag)];
            // An accepted peer's address does not come back; its circuit goes with it.
            if (!peer.IsOutgoing) _circuits.Remove(peer.Remote);
        }
    }

    /// <summary>A call's peer is lost before its reply began: repeats it where that is allowed, else fails it.</summary>
    internal void Lost(PendingCall pending, Peer peer)
    {
        if (--pending.AttemptsLeft > 0)
        {
            _metrics.RepeatedCall(Name);
            // Not from the closing connection's own thread: the call may have to wait for another lane.
            ThreadPool.UnsafeQueueUserWorkItem(static s => _ = s.backend.RepeatAsync(s.pending), (backend: this, pending), preferLocal: false);
            return;
        }

        CallEnded();
        pending.Fail(new BackendLostException(Name, peer.Remote));
    }

    /// <summary>A lane waits for a slow client: opens another connection to its endpoint, up to MaxConnections.</summary>
    internal void LaneIsBusy(Lane busy)
    {
        if (!busy.Peer.IsOutgoing) return;
        lock (_gate)
        {
            if (_lanes.Any(lane => !lane.IsStreaming) || !_connections.TryGetValue(busy.Peer.Endpoint, out var count) || count >= _options.MaxConnections) return;
            _connections[busy.Peer.Endpoint] = count + 1;
        }

        Set.Connect(busy.Peer.Endpoint);
    }

    /// <summary>A lane that carries one call at a time can take another: one of those who wait for it tries.</summary>
    internal void LaneIsIdle()
    {
        if (_oneAtATime) _waiters.WakeOne();
    }

    internal void CallEnded() => Interlocked.Decrement(ref _inFlight);

    internal void CountLateReply()
    {
        Interlocked.Increment(ref _lateReplies);
        _metrics.LateReply(Name);
    }

    internal void CountBadEnvelope()
    {
        Interlocked.Increment(ref _badEnvelopes);
        _metrics.BadReply(Name);
    }

    protected override void Disposed() => _timer.Dispose();

    private static SocketType TypeOf(BackendOptions options) =>
        options.Socket.Equals("CLIENT", StringComparison.OrdinalIgnoreCase) ? SocketType.Client : SocketType.Dealer;

    private static ZmtpOptions WithoutMessageMark(ZmtpOptions socket)
    {
        // MaxInFlight bounds the calls; the mark in bytes stays.
        socket.SendHighWaterMark = 0;
        return socket;
    }

    private long After(TimeSpan timeout) => _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency);

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private ValueTask Dispatched(PendingCall pending, CancellationToken cancellationToken)
    {
        var completion = pending.CompletionAsync();
        if (Volatile.Read(ref _timerOn) == 0 && Interlocked.Exchange(ref _timerOn, 1) == 0) _timer.Change(Tick, Tick);
        if (cancellationToken.CanBeCanceled && !completion.IsCompleted) Register(pending, cancellationToken);
        return completion;
    }

    private static void Register(PendingCall pending, CancellationToken cancellationToken) =>
        pending.Registration = cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var call = (PendingCall)state!;
                if (call.Lane is not { } lane || !lane.TryRemove(call)) return;
                lane.Circuit.Abandoned();
                lane.GivenUp();
                lane.Backend.CallEnded();
                call.Fail(new OperationCanceledException(token));
            },
            pending);

    /// <summary>Gives the call to the ready lane with the fewest in flight.</summary>
    private bool TryDispatch(PendingCall pending)
    {
        var lanes = Volatile.Read(ref _lanes);
        // Nearly always one try: a second one only when the lane closed or filled up in between.
        for (var attempt = 0; attempt <= lanes.Length; attempt++)
        {
            if (Choose(lanes, idleOnly: false) is not { } lane) return false;
            if (lane.TrySend(pending)) return true;
            lane.Circuit.Abandoned();
        }

        return false;
    }

    private static Lane? Choose(Lane[] lanes, bool idleOnly)
    {
        Lane? best = null;
        foreach (var lane in lanes)
        {
            if (lane.IsStreaming || lane.IsTaken || lane.Circuit.IsOpen || (lanes.Length > 1 && !lane.Peer.IsWritable)) continue;
            if (best is null || lane.InFlight < best.InFlight) best = lane;
        }

        if (best is not null) return idleOnly && best.InFlight > 0 ? null : best;
        foreach (var lane in lanes)
        {
            // All circuits are open: after the break one call is the probe.
            if (!lane.IsStreaming && !lane.IsTaken && lane.Circuit.IsOpen && lane.Circuit.TryEnter()) return lane;
        }

        return null;
    }

    private async ValueTask WaitForLaneAsync(PendingCall pending, CancellationToken cancellationToken)
    {
        try
        {
            await WhenLaneAsync(() => TryDispatch(pending), pending.Timeout, cancellationToken);
        }
        catch
        {
            CallEnded();
            throw;
        }

        await Dispatched(pending, cancellationToken);
    }

    /// <summary>Tries until it succeeds, whenever a lane becomes ready, for ConnectWait at most.</summary>
    private async ValueTask WhenLaneAsync(Func<bool> tried, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (_oneAtATime)
        {
            await WhenIdleAsync(tried, patience, cancellationToken);
            return;
        }

        using var timeout = new CancellationTokenSource(_options.ConnectWait > TimeSpan.Zero ? Shorter(_options.ConnectWait, TimeSpan.FromMinutes(1)) : TimeSpan.FromTicks(1), _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        while (true)
        {
            Task ready;
            lock (_gate) ready = _laneReady.Task;
            if (tried()) return;
            // An open circuit does not close by waiting here.
            if (OpenCircuits() is { } circuits) throw new BackendUnavailableException(Name, circuits);
            try
            {
                await ready.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new BackendUnavailableException(Name, WhyNotReady ?? "every connection is busy with a large transfer.");
            }
        }
    }

    /// <summary>As <see cref="WhenLaneAsync"/>, in the order of asking, for lanes that carry one call at a time: while there are some, for the call's timeout.</summary>
    private async ValueTask WhenIdleAsync(Func<bool> tried, TimeSpan patience, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        while (true)
        {
            var left = (HasPeers ? patience : Shorter(_options.ConnectWait, patience)) - _time.GetElapsedTime(start);
            var idle = _waiters.Enter();
            try
            {
                if (tried())
                {
                    // Who waits behind this one needs a connection of its own.
                    if (_waiters.Any) OpenOneMore();
                    return;
                }

                if (OpenCircuits() is { } circuits) throw new BackendUnavailableException(Name, circuits);
                if (left <= TimeSpan.Zero) throw NoLane(patience);
                OpenOneMore();
                await idle.Task.WaitAsync(left, _time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // There may be a connection by now, in use; then there is more time.
            }
            finally
            {
                _waiters.Leave(idle);
            }
        }
    }

    private BackendException NoLane(TimeSpan patience) => HasPeers
        ? new BackendException(503, "backend-overloaded", $"Backend '{Name}': each of its connections carries one call at a time, and none was free within {patience}. MaxConnections is {_options.MaxConnections}.")
        : new BackendUnavailableException(Name, WhyNotReady ?? "its connections were lost.");

    private void OpenOneMore()
    {
        foreach (var lane in Volatile.Read(ref _lanes))
        {
            if (!CanOpenAnother(lane)) continue;
            Set.Connect(lane.Peer.Endpoint);
            return;
        }
    }

    private string? OpenCircuits()
    {
        var lanes = Volatile.Read(ref _lanes);
        return lanes.Length > 0 && lanes.All(lane => lane.Circuit.IsOpen)
            ? $"{string.Join(", ", lanes.Select(lane => lane.Peer.Endpoint).Distinct(StringComparer.Ordinal))} timed out {_options.Circuit.Failures} times in a row and is left alone for {_options.Circuit.Break}."
            : null;
    }

    private async Task RepeatAsync(PendingCall pending)
    {
        try
        {
            await WhenLaneAsync(() => TryDispatch(pending), pending.Timeout, CancellationToken.None);
        }
        catch (Exception e)
        {
            CallEnded();
            pending.Fail(e);
        }
    }

    /// <summary>A request whose body streams: on an idle lane, for a body that breaks off takes its connection along.</summary>
    private async ValueTask StreamAsync(PendingCall pending, CancellationToken cancellationToken)
    {
        FrameStream? stream = null;
        try
        {
            await WhenLaneAsync(() => TryBeginStream(pending, out stream), pending.Timeout, cancellationToken);
        }
        catch
        {
            CallEnded();
            throw;
        }

        var (lane, timeout) = (pending.Lane!, pending.Timeout);
        var completion = Dispatched(pending, cancellationToken).AsTask();
        Exception? failure = null;
        try
        {
            await using (stream) await PumpAsync(pending.Call, stream!, timeout, cancellationToken);
        }
        catch (Exception e)
        {
            failure = e;
        }

        lane.EndStream(pending, After(timeout));
        if (failure is null)
        {
            await completion;
            return;
        }

        // The stream, given up, closes the lane, and that completes the call. Not before: until then an early reply may reach the call,
        // which is reused for another request once this returns. The cause here is the better answer.
        await completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (failure is ZmtpException) throw new BackendLostException(Name, lane.Peer.Remote);
        ExceptionDispatchInfo.Throw(failure);
    }

    private bool TryBeginStream(PendingCall pending, out FrameStream? stream)
    {
        stream = null;
        var lanes = Volatile.Read(ref _lanes);
        if (Choose(lanes, idleOnly: true) is { } idle) return idle.TryBeginStream(pending, pending.Call.StreamedLength, out stream) && stream is not null;
        if (Choose(lanes, idleOnly: false) is not { } busy) return false;
        if (CanOpenAnother(busy))
        {
            Set.Connect(busy.Peer.Endpoint);
            return false;
        }

        return busy.TryBeginStream(pending, pending.Call.StreamedLength, out stream) && stream is not null;
    }

    private bool CanOpenAnother(Lane lane)
    {
        lock (_gate)
        {
            if (!lane.Peer.IsOutgoing || !_connections.TryGetValue(lane.Peer.Endpoint, out var count) || count >= _options.MaxConnections) return false;
            _connections[lane.Peer.Endpoint] = count + 1;
            return true;
        }
    }

    private async ValueTask PumpAsync(ICall call, FrameStream stream, TimeSpan timeout, CancellationToken cancellationToken)
    {
        // A peer that takes nothing for the length of a timeout has timed out; a slow client is Kestrel's to judge.
        using var stalled = new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stalled.Token, cancellationToken);
        while (stream.Left > 0)
        {
            var read = await call.StreamedBody.ReadAsync(cancellationToken);
            var buffer = read.Buffer.Length > stream.Left ? read.Buffer.Slice(0, stream.Left) : read.Buffer;
            try
            {
                stalled.CancelAfter(timeout);
                foreach (var segment in buffer) await stream.WriteAsync(segment, either.Token);
                stalled.CancelAfter(System.Threading.Timeout.InfiniteTimeSpan);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new BackendTimeoutException(Name, timeout);
            }

            call.StreamedBody.AdvanceTo(buffer.End);
            if (read.IsCompleted && stream.Left > 0 && buffer.IsEmpty)
                throw new BackendException(400, "request-body-truncated", $"The request's body ended {stream.Left} bytes before its Content-Length.");
        }
    }

    private void OnTick()
    {
        lock (_expired)
        {
            var now = _time.GetTimestamp();
            foreach (var lane in Volatile.Read(ref _lanes)) lane.TakeExpired(now, _expired);
            foreach (var pending in _expired)
            {
                pending.Lane!.Circuit.Failed();
                pending.Lane.GivenUp();
                CallEnded();
                pending.Fail(new BackendTimeoutException(Name, pending.Timeout));
            }

            _expired.Clear();
            if (Volatile.Read(ref _inFlight) > 0) return;
            // Off while nothing is under way; a call that comes in between turns it on again.
            Volatile.Write(ref _timerOn, 0);
            _timer.Change(System.Threading.Timeout.InfiniteTimeSpan, System.Threading.Timeout.InfiniteTimeSpan);
            if (Volatile.Read(ref _inFlight) == 0) return;
            // Whoever set the flag: the call may have turned the timer on just before it was turned off above.
            Volatile.Write(ref _timerOn, 1);
            _timer.Change(Tick, Tick);
        }
    }
}
