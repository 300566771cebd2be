namespace Gateway.Backends.Calling;

/// <summary>Those who wait for a lane, in the order of asking.</summary>
internal sealed class LaneWaiters
{
    private readonly LinkedList<TaskCompletionSource> _waiting = new();
    private int _count;

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (_waiting) return _waiting.Count;
        }
    }

    // Asked at the end of every call, where nearly always nobody waits. What the caller changed is to be seen before the count is read: who
    // waits has entered before it looked.
    private bool IsEmpty
    {
        get
        {
            Interlocked.MemoryBarrier();
            return Volatile.Read(ref _count) == 0;
        }
    }

    /// <summary>Queues up. Who enters looks for a lane afterwards, and leaves in any case.</summary>
    public TaskCompletionSource Enter()
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_waiting)
        {
            _waiting.AddLast(waiter);
            Interlocked.Exchange(ref _count, _waiting.Count);
        }

        return waiter;
    }

    /// <summary>Leaves. Who was woken and did not look again wakes the next.</summary>
    /// <param name="looked">Whether the wake-up was used, for a lane or for another look.</param>
    public void Leave(TaskCompletionSource waiter, bool looked)
    {
        lock (_waiting)
        {
            _waiting.Remove(waiter);
            _count = _waiting.Count;
        }

        if (!waiter.TrySetCanceled() && !looked) WakeOne();
    }

    /// <summary>Wakes the first.</summary>
    public void WakeOne()
    {
        if (IsEmpty) return;
        lock (_waiting)
        {
            while (_waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                _count = _waiting.Count;
                if (first.Value.TrySetResult()) return;
            }
        }
    }

    /// <summary>Wakes all.</summary>
    public void WakeAll()
    {
        if (IsEmpty) return;
        lock (_waiting)
        {
            foreach (var waiter in _waiting) waiter.TrySetResult();
            _waiting.Clear();
            _count = 0;
        }
    }
}
