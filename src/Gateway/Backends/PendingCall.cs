using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;

namespace Gateway.Backends;

/// <summary>A call that waits for its reply; pooled.</summary>
/// <remarks>Reply, timeout, client and lost peer race. The lane's table decides: who removes the call from it completes the call.</remarks>
internal sealed class PendingCall : IValueTaskSource
{
    private const int MaxPooled = 4096;
    private static readonly ConcurrentQueue<PendingCall> Pool = new();
    private static int _pooled;
    private ManualResetValueTaskSourceCore<bool> _core;

    public ICall Call { get; private set; } = null!;

    /// <summary>The lane whose table holds the call; changes when the call is repeated on another one.</summary>
    public Lane? Lane { get; set; }

    /// <summary>Index in the lane's table.</summary>
    public int Slot { get; set; }

    /// <summary>Timestamp after which the call has failed.</summary>
    public long Deadline { get; set; }

    public TimeSpan Timeout { get; private set; }

    /// <summary>Attempts that may still be made when the peer is lost.</summary>
    public int AttemptsLeft { get; set; }

    public CancellationTokenRegistration Registration { get; set; }

    public static PendingCall Rent(ICall call, TimeSpan timeout, long deadline, int attempts)
    {
        if (Pool.TryDequeue(out var pending)) Interlocked.Decrement(ref _pooled);
        else pending = new PendingCall();
        (pending.Call, pending.Timeout, pending.Deadline, pending.AttemptsLeft) = (call, timeout, deadline, attempts);
        return pending;
    }

    public ValueTask CompletionAsync() => new(this, _core.Version);

    /// <summary>Completes from the lane's read loop: what awaits the call continues there.</summary>
    public void Succeed() => _core.SetResult(true);

    /// <summary>Completes on the pool: timers and closing lanes have other calls to see to.</summary>
    public void Fail(Exception error) =>
        ThreadPool.UnsafeQueueUserWorkItem(static s => s.pending._core.SetException(s.error), (pending: this, error), preferLocal: false);

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
            Registration = default;
            _core.Reset();
            (Call, Lane) = (null!, null);
            if (Interlocked.Increment(ref _pooled) > MaxPooled) Interlocked.Decrement(ref _pooled);
            else Pool.Enqueue(this);
        }
    }
}
