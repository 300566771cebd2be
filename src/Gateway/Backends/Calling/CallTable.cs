namespace Gateway.Backends.Calling;

/// <summary>The calls in flight on one lane, by id. Not thread-safe: every call is made under the lane's gate.</summary>
/// <remarks>An id names a slot and one life of it, so it finds the call that it was given for or nothing.</remarks>
internal sealed class CallTable
{
    // Keeps ids of two tables apart: a reply that a service sends to the wrong connection finds nothing.
    private readonly uint _salt = (uint)Random.Shared.Next();
    private Slot[] _slots;
    private int _free;
    private int _count;

    /// <param name="capacity">Slots at the start; the table grows.</param>
    public CallTable(int capacity)
    {
        _slots = new Slot[capacity];
        _free = Link(0);
    }

    /// <summary>Calls in the table; may be read without the gate.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Takes a call in.</summary>
    /// <returns>Its id.</returns>
    public ulong Enter(PendingCall call, ILane lane)
    {
        if (_free < 0) Grow();
        var index = _free;
        ref var slot = ref _slots[index];
        _free = slot.NextFree;
        slot.Call = call;
        var id = ((ulong)(_salt + slot.Life) << 32) | (uint)index;
        call.Entered(lane, id);
        Volatile.Write(ref _count, _count + 1);
        return id;
    }

    /// <summary>Takes the call of this id out, if it is still there: who takes it owns it.</summary>
    public PendingCall? Take(ulong id)
    {
        return Find(id) is null ? null : Release((int)(uint)id);
    }

    /// <summary>Takes any call out; null when there is none. With one call in the table, that one.</summary>
    public PendingCall? TakeAny()
    {
        for (var index = 0; index < _slots.Length; index++)
        {
            if (_slots[index].Call is not null) return Release(index);
        }

        return null;
    }

    /// <summary>Takes all calls out whose deadline has passed.</summary>
    public void TakeExpired(long now, List<PendingCall> expired)
    {
        for (var index = 0; index < _slots.Length && _count > 0; index++)
        {
            if (_slots[index].Call is { } call && call.Deadline <= now) expired.Add(Release(index));
        }
    }

    /// <summary>Takes all calls out.</summary>
    public void TakeAll(List<PendingCall> calls)
    {
        while (TakeAny() is { } call) calls.Add(call);
    }

    /// <summary>The call of this id, which stays in the table; null when it is no longer there.</summary>
    public PendingCall? Find(ulong id)
    {
        var index = (uint)id;
        return index < _slots.Length && _salt + _slots[index].Life == (uint)(id >> 32) ? _slots[index].Call : null;
    }

    private PendingCall Release(int index)
    {
        ref var slot = ref _slots[index];
        var call = slot.Call!;
        (slot.Call, slot.NextFree) = (null, _free);
        slot.Life++;
        _free = index;
        Volatile.Write(ref _count, _count - 1);
        call.Taken();
        return call;
    }

    private void Grow()
    {
        var old = _slots.Length;
        Array.Resize(ref _slots, old * 2);
        _free = Link(old);
    }

    /// <returns>The first of a chain of free slots from here to the end.</returns>
    private int Link(int from)
    {
        for (var index = from; index < _slots.Length; index++) _slots[index].NextFree = index + 1 < _slots.Length ? index + 1 : -1;
        return from;
    }

    private record struct Slot(PendingCall? Call, uint Life, int NextFree);
}
