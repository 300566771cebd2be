namespace Gateway.Backends;

/// <summary>Those who wait for a connection that carries one call at a time, in the order of asking. One is woken for each connection that is free.</summary>
internal sealed class IdleWaiters
{
    private readonly Queue<TaskCompletionSource> _waiting = new();

    /// <summary>Queues up. Who enters looks for a free connection afterwards, and leaves in any case.</summary>
    public TaskCompletionSource Enter()
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_waiting) _waiting.Enqueue(waiter);
        return waiter;
    }

    /// <summary>Whether somebody waits, besides those who were woken.</summary>
    public bool Any
    {
        get
        {
            lock (_waiting) return _waiting.Any(waiter => !waiter.Task.IsCompleted);
        }
    }

    /// <summary>Wakes the first.</summary>
    public void WakeOne()
    {
        lock (_waiting)
        {
            while (_waiting.TryDequeue(out var waiter) && !waiter.TrySetResult())
            {
                // That one has given up.
            }
        }
    }

    /// <summary>Gives up waiting. Who was woken and does not need it wakes the next.</summary>
    public void Leave(TaskCompletionSource waiter)
    {
        if (!waiter.TrySetCanceled()) WakeOne();
    }
}
