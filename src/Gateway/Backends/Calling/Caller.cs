using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Backends.Calling;

/// <summary>Makes calls over the lanes of one backend: attempts, deadlines, cancellation and uploads; and ends each of them once.</summary>
internal sealed class Caller : ILaneOwner, IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(25);
    // Replies put aside for slow clients, in memory and temporary files.
    private const long MaxStoredReplies = 1024L * 1024 * 1024;
    private readonly BackendOptions _options;
    private readonly BackendMetrics _metrics;
    private readonly List<PendingCall> _expired = [];
    private readonly ITimer _timer;
    private int _inFlight;
    private int _timerOn;
    private long _lateReplies;
    private long _badEnvelopes;

    public Caller(string name, BackendOptions options, ILaneConnections connections, TimeProvider time, BackendMetrics metrics,
        bool oneAtATime)
    {
        (Name, _options, Time, _metrics) = (name, options, time, metrics);
        Pool = new LanePool(name, options, connections, time, oneAtATime);
        _timer = time.CreateTimer(static c => ((Caller)c!).OnTick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public string Name { get; }

    public TimeProvider Time { get; }

    public ReplyStore Replies { get; } = new(MaxStoredReplies);

    public LanePool Pool { get; }

    /// <summary>Replies that came after their call had timed out or its client had left.</summary>
    public long LateReplies => Volatile.Read(ref _lateReplies);

    /// <summary>Messages that were no reply.</summary>
    public long BadEnvelopes => Volatile.Read(ref _badEnvelopes);

    /// <summary>Calls under way.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <inheritdoc cref="ICaller.CallAsync"/>
    public ValueTask CallAsync(ICall call, TimeSpan timeout, bool repeatable, CancellationToken cancellationToken)
    {
        if (InFlight >= _options.MaxInFlight)
            throw new BackendException(503, "backend-overloaded",
                $"Backend '{Name}' has {_options.MaxInFlight} calls in flight, its MaxInFlight.");
        if (call.StreamedLength >= 0) return UploadAsync(call, timeout, cancellationToken);
        var deadline = After(timeout);
        return repeatable && _options.Retry.Attempts > 1
            ? RepeatAsync(call, timeout, deadline, cancellationToken)
            : AttemptAsync(call, timeout, deadline, cancellationToken);
    }

    public void Dispose() => _timer.Dispose();

    /// <inheritdoc/>
    public void End(PendingCall call, CallEnd end, Exception? failure)
    {
        var circuit = call.Lane.Circuit;
        if (end == CallEnd.Answered) circuit.Succeeded();
        else if (end == CallEnd.TimedOut) circuit.Failed(call.Probe);
        else circuit.Abandoned(call.Probe);
        Interlocked.Decrement(ref _inFlight);
        if (failure is null) call.Succeed();
        else call.Fail(failure);
    }

    void ILaneOwner.LaneIsFree(ILane lane) => Pool.Freed();

    void ILaneOwner.LaneIsPaused(ILane lane) => Pool.Paused();

    void ILaneOwner.LateReply(ILane lane)
    {
        // Late, but an answer: whoever answers is well again.
        lane.Circuit.Succeeded();
        Interlocked.Increment(ref _lateReplies);
        _metrics.LateReply(Name);
    }

    /// <inheritdoc/>
    public void BadEnvelope()
    {
        Interlocked.Increment(ref _badEnvelopes);
        _metrics.BadReply(Name);
    }

    private static void OnClientGone(object? state, CancellationToken token)
    {
        var call = (PendingCall)state!;
        // Whoever takes it ends it; a reply that has begun goes on, and its response fails by itself.
        if (call.Lane.TryTake(call.Id) is { } taken) taken.Lane.Owner.End(taken, CallEnd.Abandoned, new OperationCanceledException(token));
    }

    private long After(TimeSpan timeout) => Time.GetTimestamp() + Ticks(timeout);

    private long Ticks(TimeSpan timeout) => (long)(timeout.TotalSeconds * Time.TimestampFrequency);

    private PendingCall Begin(ICall call, TimeSpan timeout, long deadline)
    {
        Interlocked.Increment(ref _inFlight);
        return PendingCall.Rent(call, timeout, deadline);
    }

    private void GiveBack(PendingCall call)
    {
        Interlocked.Decrement(ref _inFlight);
        call.Discard();
    }

    private ValueTask AttemptAsync(ICall call, TimeSpan timeout, long deadline, CancellationToken cancellationToken)
    {
        var pending = Begin(call, timeout, deadline);
        HandOver outcome;
        try
        {
            outcome = Pool.TrySend(pending);
        }
        catch
        {
            // The request cannot be written.
            GiveBack(pending);
            throw;
        }

        return outcome == HandOver.NotSent ? WaitAsync(pending, cancellationToken) : CompletionOf(pending, cancellationToken);
    }

    private async ValueTask WaitAsync(PendingCall pending, CancellationToken cancellationToken)
    {
        try
        {
            await Pool.WhenLaneAsync(() => Pool.TrySend(pending), pending.Deadline, wantsOwn: false, cancellationToken);
        }
        catch
        {
            GiveBack(pending);
            throw;
        }

        await CompletionOf(pending, cancellationToken);
    }

    /// <summary>
    /// A call that may be made again when its peer is lost before the reply began: each attempt is a call of its own, within one deadline.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask RepeatAsync(ICall call, TimeSpan timeout, long deadline, CancellationToken cancellationToken)
    {
        for (var left = _options.Retry.Attempts - 1; ; left--)
        {
            try
            {
                await AttemptAsync(call, timeout, deadline, cancellationToken);
                return;
            }
            catch (BackendLostException e) when (!e.ReplyBegan && left > 0 && Time.GetTimestamp() < deadline
                && !cancellationToken.IsCancellationRequested)
            {
                _metrics.RepeatedCall(Name);
            }
        }
    }

    /// <summary>What the dispatcher awaits once the call is a lane's.</summary>
    private ValueTask CompletionOf(PendingCall pending, CancellationToken cancellationToken)
    {
        var completion = pending.CompletionAsync();
        if (Volatile.Read(ref _timerOn) == 0 && Interlocked.Exchange(ref _timerOn, 1) == 0) _timer.Change(Tick, Tick);
        if (!cancellationToken.CanBeCanceled || completion.IsCompleted) return completion;
        pending.Registration = cancellationToken.UnsafeRegister(OnClientGone, pending);
        return completion;
    }

    private async ValueTask UploadAsync(ICall call, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var isHeld = call.IsBodyHeld;
        for (var left = _options.Retry.Attempts; ; left--)
        {
            // Its reply is waited for from the last byte on.
            var pending = Begin(call, timeout, long.MaxValue);
            FrameStream? stream = null;
            try
            {
                var outcome = Pool.TryBeginTransfer(pending, isHeld, out stream);
                if (outcome == HandOver.NotSent) (stream, isHeld) = await WhenTransferAsync(pending, isHeld, timeout, cancellationToken);
            }
            catch
            {
                GiveBack(pending);
                throw;
            }

            if (stream is not null)
            {
                await TransferAsync(pending, stream, isHeld, cancellationToken);
                return;
            }

            try
            {
                // Taken over before any byte of the body was sent.
                await CompletionOf(pending, cancellationToken);
                return;
            }
            catch (BackendLostException e) when (!e.ReplyBegan && left > 1)
            {
                // No service can have seen the whole request: another lane may.
            }
        }
    }

    /// <summary>
    /// No lane for the transfer now: waits a little for one, then takes the body in at its client's pace, and then waits its turn.
    /// </summary>
    /// <returns>The stream, or null when somebody took the call over.</returns>
    private async ValueTask<(FrameStream? Stream, bool IsHeld)> WhenTransferAsync(
        PendingCall pending, bool isHeld, TimeSpan timeout, CancellationToken cancellationToken)
    {
        FrameStream? stream = null;
        if (!isHeld && Pool.IsFull) isHeld = await pending.Call.HoldBodyAsync(cancellationToken);
        try
        {
            var patience = isHeld || timeout < _options.ConnectWait ? timeout : _options.ConnectWait;
            await Pool.WhenLaneAsync(Offer, After(patience), wantsOwn: true, cancellationToken);
            return (stream, isHeld);
        }
        catch (BackendOverloadedException) when (!isHeld)
        {
            isHeld = await pending.Call.HoldBodyAsync(cancellationToken);
        }

        await Pool.WhenLaneAsync(Offer, After(timeout), wantsOwn: true, cancellationToken);
        return (stream, isHeld);

        HandOver Offer() => Pool.TryBeginTransfer(pending, isHeld, out stream);
    }

    private async ValueTask TransferAsync(PendingCall pending, FrameStream stream, bool isHeld, CancellationToken cancellationToken)
    {
        // Read before the completion is awaited: afterwards the object is somebody else's.
        var (lane, id, call, timeout) = (pending.Lane, pending.Id, pending.Call, pending.Timeout);
        var completion = CompletionOf(pending, cancellationToken).AsTask();
        Exception? failure = null;
        try
        {
            await using (stream) await UploadPump.RunAsync(call, stream, Name, timeout, cancellationToken);
        }
        catch (Exception e)
        {
            failure = e;
        }

        lane.EndTransfer(id, After(timeout));
        if (!isHeld) Pool.DirectEnded();
        if (failure is null)
        {
            await completion;
            return;
        }

        // Nobody waits for the reply to half a request. When the table does not have the call, an early reply or the closing lane ends it;
        // until then it may be reading into the caller's object, which is reused once this returns.
        if (lane.TryTake(id) is { } taken) End(taken, CallEnd.Abandoned, failure);
        await completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (failure is not ZmtpException) ExceptionDispatchInfo.Throw(failure);
        // A service may answer before it has read everything, and close.
        if (!completion.IsCompletedSuccessfully) throw new BackendLostException(Name, lane.Peer.Remote, replyBegan: false);
    }

    private void OnTick()
    {
        lock (_expired)
        {
            var now = Time.GetTimestamp();
            foreach (var lane in Pool.Lanes) lane.TakeExpired(now, _expired);
            foreach (var call in _expired)
            {
                // What we did not read, or could not send, is not held against the peer.
                var end = call.Lane.WasHeldSince(call.Deadline - Ticks(call.Timeout)) ? CallEnd.Abandoned : CallEnd.TimedOut;
                End(call, end, new BackendTimeoutException(Name, call.Timeout));
            }

            _expired.Clear();
            if (InFlight > 0) return;
            // Off while nothing is under way; a call that comes in between turns it on again.
            Volatile.Write(ref _timerOn, 0);
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (InFlight == 0) return;
            // Whoever set the flag: the call may have turned the timer on just before it was turned off above.
            Volatile.Write(ref _timerOn, 1);
            _timer.Change(Tick, Tick);
        }
    }
}
