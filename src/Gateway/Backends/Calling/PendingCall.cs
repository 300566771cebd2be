using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;

namespace Gateway.Backends.Calling;

/// <summary>One attempt of a call, from the dispatcher to its end; pooled.</summary>
/// <remarks>
/// <para>It has one owner at every moment, and only the owner acts on it:</para>
/// <code>
///            Rent                    Enter (lane's gate)                 TryTake (lane's gate, by id)
///   pool ──────────► dispatcher ─────────────────────────► lane's table ──────────────────────────► taker ──► Succeed or Fail, once
///    ▲                 ▲  │ Discard (never entered)             │ TakeBack: NotSent                  (read loop, spool, deadline,
///    │                 └──┼─────────────────────────────────────┘                                     cancellation, close, upload)
///    └────────────────────┴── Recycle ◄── GetResult: whoever awaits the completion, after the one Succeed or Fail
/// </code>
/// <para>
/// An attempt enters one table once; a repeated call is a new attempt with an object of its own. A table's ids are never used again, so an
/// id from an earlier life takes nothing. It goes back to the pool in one place, <c>Recycle</c>, which refuses an object that a table still
/// holds: that would be a fault of ours. The dispatcher may read it until it awaits the completion, for nobody but who awaits lets it go.
/// </para>
/// </remarks>
internal sealed class PendingCall : IValueTaskSource
{
    private const int MaxPooled = 4096;
    private static readonly ConcurrentQueue<PendingCall> Pool = new();
    private static int _pooled;
    private ManualResetValueTaskSourceCore<bool> _core;
    private volatile bool _isInTable;

    public ICall Call { get; private set; } = null!;

    public TimeSpan Timeout { get; private set; }

    /// <summary>Timestamp after which the call has failed. Once entered it is changed under the lane's gate.</summary>
    public long Deadline { get; set; }

    /// <summary>The lane whose table the attempt was entered into.</summary>
    public ILane Lane { get; private set; } = null!;

    /// <summary>The attempt's id in that table.</summary>
    public ulong Id { get; private set; }

    /// <summary>The number of the probe of an open circuit that this attempt is, or 0.</summary>
    public int Probe { get; set; }

    public CancellationTokenRegistration Registration { get; set; }

    public static PendingCall Rent(ICall call, TimeSpan timeout, long deadline)
    {
        if (Pool.TryDequeue(out var pending)) Interlocked.Decrement(ref _pooled);
        else pending = new PendingCall();
        (pending.Call, pending.Timeout, pending.Deadline) = (call, timeout, deadline);
        return pending;
    }

    /// <summary>The end of the attempt; awaited once.</summary>
    public ValueTask CompletionAsync() => new(this, _core.Version);

    /// <summary>Called by the table that takes it in, under its lane's gate.</summary>
    public void Entered(ILane lane, ulong id)
    {
        (Lane, Id) = (lane, id);
        _isInTable = true;
    }

    /// <summary>Called by the table that lets it go, under its lane's gate.</summary>
    public void Taken() => _isInTable = false;

    /// <summary>Completes from the lane's read loop: what awaits the call continues there, for one turn.</summary>
    public void Succeed()
    {
        LaneTurn.Begin();
        _core.SetResult(true);
        LaneTurn.End();
    }

    /// <summary>Completes on the pool: timers and closing lanes have other calls to see to.</summary>
    public void Fail(Exception error) =>
        ThreadPool.UnsafeQueueUserWorkItem(static s => s.pending._core.SetException(s.error), (pending: this, error), preferLocal: false);

    /// <summary>Gives back an attempt that no lane took.</summary>
    public void Discard() => Recycle();

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token)
    {
        // A second await throws here, before the object could be pooled twice.
        _ = _core.GetStatus(token);
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            // Waits for a callback that is running: it must not meet the object's next life.
            Registration.Dispose();
            Recycle();
        }
    }

    private void Recycle()
    {
        if (_isInTable) throw new InvalidOperationException("A call that a lane still holds was given back.");
        _core.Reset();
        (Call, Lane, Id, Probe, Registration) = (null!, null!, 0, 0, default);
        if (Interlocked.Increment(ref _pooled) > MaxPooled) Interlocked.Decrement(ref _pooled);
        else Pool.Enqueue(this);
    }
}
