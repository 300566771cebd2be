namespace Gateway.Backends.Calling;

/// <summary>Those who wait for a lane, in the order of asking.</summary>
internal sealed class LaneWaiters
{
    private readonly LinkedList<TaskCompletionSource> _waiting = new();

    /// <summary>How many wait.</summary>
    public int Count
    {
        get
        {
            lock (_waiting) return _waiting.Count;
        }
    }

    /// <summary>Queues up. Who enters looks for a lane afterwards, and leaves in any case.</summary>
    public TaskCompletionSource Enter()
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_waiting) _waiting.AddLast(waiter);
        return waiter;
    }

    /// <summary>Leaves. Who was woken and did not look again wakes the next.</summary>
    /// <param name="looked">Whether the wake-up was used, for a lane or for another look.</param>
    public void Leave(TaskCompletionSource waiter, bool looked)
    {
        lock (_waiting) _waiting.Remove(waiter);
        if (!waiter.TrySetCanceled() && !looked) WakeOne();
    }

    /// <summary>Wakes the first.</summary>
    public void WakeOne()
    {
        lock (_waiting)
        {
            while (_waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                if (first.Value.TrySetResult()) return;
            }
        }
    }

    /// <summary>Wakes all.</summary>
    public void WakeAll()
    {
        lock (_waiting)
        {
            foreach (var waiter in _waiting) waiter.TrySetResult();
            _waiting.Clear();
        }
    }
}
