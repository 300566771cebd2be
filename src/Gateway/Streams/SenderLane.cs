namespace Gateway.Streams;

/// <summary>One loop's share of an audience. Its idle subscribers are all at the same place, so that one batch is sent to each in turn.</summary>
/// <remarks>Belongs to its loop; others only post it.</remarks>
internal sealed class SenderLane(Audience audience, SenderLoop loop) : LoopItem
{
    private readonly LogReader _reader = new();
    private Subscriber[] _idle = new Subscriber[4];
    private int _idleCount;
    private int _members;
    private readonly List<Subscriber> _forked = [];

    /// <summary>The audience.</summary>
    public Audience Audience => audience;

    /// <summary>Its loop.</summary>
    public SenderLoop Loop => loop;

    /// <summary>Whether anybody is in the lane; any thread.</summary>
    public bool HasMembers => Volatile.Read(ref _members) > 0;

    /// <summary>Where the idle subscribers stand.</summary>
    public long Sequence => _reader.Sequence;

    /// <summary>Counts a new subscriber in; it goes on by <see cref="Rejoin"/>.</summary>
    public void Enter()
    {
        if (_members++ == 0) audience.Log.Add(_reader);
    }

    /// <summary>Takes a subscriber out for good.</summary>
    public void Leave(Subscriber subscriber)
    {
        if (subscriber.IdleIndex >= 0) RemoveAt(subscriber.IdleIndex);
        if (--_members == 0) audience.Log.Remove(_reader);
    }

    /// <summary>Makes a subscriber idle that has reached <see cref="Sequence"/>.</summary>
    public void Rejoin(Subscriber subscriber)
    {
        if (_idleCount == _idle.Length) Array.Resize(ref _idle, _idleCount * 2);
        subscriber.IdleIndex = _idleCount;
        _idle[_idleCount++] = subscriber;
    }

    /// <summary>Takes a subscriber out of the idle ones; it has taken a cursor at <see cref="Sequence"/>.</summary>
    public void Unjoin(Subscriber subscriber) => RemoveAt(subscriber.IdleIndex);

    /// <inheritdoc/>
    public override void Run()
    {
        // One batch a turn: subscribers that became writable, and other lanes, come in between.
        if (_members > 0 && Pass()) loop.Post(this);
    }

    private bool Pass()
    {
        var any = audience.Log.TryRead(_reader, out var batch, out var lost);
        if (lost > 0) audience.Counters.Dropped(lost * _idleCount);
        if (!any) return false;
        var length = Length(batch);
        var idle = _idleCount;
        // Backwards: who blocks leaves its place to the last, who had its turn.
        for (var i = idle - 1; i >= 0; i--)
        {
            if (!Send(_idle[i], batch)) RemoveAt(i);
        }

        audience.Counters.Delivered((batch.EndSequence - _reader.Sequence) * _idleCount, length * _idleCount);
        audience.Log.Complete(_reader, batch);
        if (_idleCount < idle) ResumeForked();
        return true;
    }

    private bool Send(Subscriber subscriber, in LogBatch batch)
    {
        var (segment, offset) = (batch.First, batch.Offset);
        while (!subscriber.IsWriting)
        {
            var end = segment == batch.Last ? batch.End : segment.Written;
            var sent = subscriber.TrySend(segment.Buffer.AsSpan(offset, end - offset));
            if (sent < end - offset)
            {
                offset += Math.Max(sent, 0);
                break;
            }

            if (segment == batch.Last) return true;
            (segment, offset) = (segment.Next!, 0);
        }

        var cursor = audience.Log.Fork(segment, offset);
        audience.Counters.Delivered(cursor.Sequence - _reader.Sequence, 0);
        subscriber.Fork(cursor);
        _forked.Add(subscriber);
        return false;
    }

    private void ResumeForked()
    {
        foreach (var subscriber in _forked) loop.Guard(subscriber, static item => ((Subscriber)item).Proceed());
        _forked.Clear();
    }

    private static long Length(in LogBatch batch)
    {
        if (batch.First == batch.Last) return batch.End - batch.Offset;
        long length = batch.First.Written - batch.Offset + batch.End;
        for (var segment = batch.First.Next!; segment != batch.Last; segment = segment.Next!) length += segment.Written;
        return length;
    }

    private void RemoveAt(int index)
    {
        _idle[index].IdleIndex = -1;
        var last = _idle[--_idleCount];
        if (index < _idleCount)
        {
            _idle[index] = last;
            last.IdleIndex = index;
        }

        _idle[_idleCount] = null!;
    }
}
