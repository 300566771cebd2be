using Gateway.Configuration;

namespace Gateway.Streams;

/// <summary>
/// The messages of an audience, encoded once, for all of its subscribers. Who is caught up moves with the reader of its lane; who is not has
/// a cursor of its own. What everybody has passed goes back to the pool; what is over the bounds meets the policy.
/// </summary>
/// <remarks>
/// The window is the chain of segments from <c>_tail</c> to <c>_head</c>, each with one reference of the log. A cursor whose message fell out
/// of the window still finishes it (the segment is retained, and one that a message continues from holds the next) and then goes on at the
/// window's beginning; the distance is the exact number of messages it lost. The lock is taken once per append and once per pass of a lane,
/// never per subscriber that keeps up, and nothing is called under it.
/// </remarks>
/// <param name="drained">Called, outside the lock, when a log that was full has room again.</param>
internal sealed class AudienceLog(SubscriberOptions options, int maxTopics, SegmentPool pool, Action drained)
{
    private readonly Lock _gate = new();
    private readonly List<LogReader> _readers = [];
    private readonly ConflationTable? _latest = options.Policy == SlowConsumerPolicy.Conflate ? new ConflationTable(maxTopics, options.MaxBytes, pool) : null;
    private readonly int _segmentSize = options.MaxBytes < 8 * SegmentPool.Large ? SegmentPool.Small : SegmentPool.Large;

    private LogSegment? _tail;
    private LogSegment? _head;
    private int _tailOffset;
    private long _tailSequence;
    private long _headSequence;
    private long _bytes;
    private int _behind;
    private bool _full;

    /// <summary>Sequence of the next message.</summary>
    public long HeadSequence => Volatile.Read(ref _headSequence);

    /// <summary>Sequence of the oldest message in the window.</summary>
    public long TailSequence => Volatile.Read(ref _tailSequence);

    /// <summary>Bytes in the window.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Topics that the conflation table let go because it was full.</summary>
    public long EvictedTopics => _latest?.Evicted ?? 0;

    /// <summary>Adds a message.</summary>
    /// <param name="header">What stands before the body on the wire.</param>
    /// <param name="topic">Names the message for Conflate.</param>
    /// <returns>False when the log is full and the source has to pause, until the log calls drained. The message was added all the same.</returns>
    public bool Append(ReadOnlySpan<byte> header, in FrameBytes body, in FrameBytes topic)
    {
        lock (_gate)
        {
            var length = header.Length + body.Length;
            if (options.Policy == SlowConsumerPolicy.DropNewest) SetAsideBefore(length);
            MakeRoom(length);
            _head = _head!.Write(header, body, pool);
            _latest?.Put(topic, _headSequence, header, body);
            Volatile.Write(ref _headSequence, _headSequence + 1);
            Volatile.Write(ref _bytes, _bytes + length);
            KeepBounds();
            _full = MustPause;
            return !_full;
        }
    }

    /// <summary>Adds a lane, at the head.</summary>
    public void Add(LogReader reader)
    {
        lock (_gate)
        {
            reader.Sequence = _headSequence;
            _readers.Add(reader);
        }
    }

    /// <summary>Takes a lane out; the window no longer waits for it.</summary>
    public void Remove(LogReader reader)
    {
        bool room;
        lock (_gate)
        {
            _readers.Remove(reader);
            room = Sweep();
        }

        if (room) drained();
    }

    /// <summary>Gives a lane what it has not sent yet, up to the end of a segment, and retains it.</summary>
    /// <param name="lost">Messages that everybody in the lane has lost because the lane did not keep up.</param>
    /// <returns>False when the lane is at the head.</returns>
    public bool TryRead(LogReader reader, out LogBatch batch, out long lost)
    {
        lock (_gate)
        {
            lost = Math.Max(0, _tailSequence - reader.Sequence);
            reader.Sequence += lost;
            batch = default;
            if (reader.Sequence == _headSequence) return false;
            var (first, offset) = Locate(reader.Sequence);
            first.Retain();
            var last = first;
            while (last.Continues) last = last.Next!;
            batch = new LogBatch(first, offset, last, last.Written, last.EndSequence);
            return true;
        }
    }

    /// <summary>A lane has sent a batch to all of its subscribers, or given those who blocked a cursor of their own.</summary>
    public void Complete(LogReader reader, in LogBatch batch)
    {
        bool room;
        lock (_gate)
        {
            reader.Sequence = batch.EndSequence;
            batch.First.Release(pool);
            room = Sweep();
        }

        if (room) drained();
    }

    /// <summary>Gives a subscriber that blocked in a batch a cursor of its own.</summary>
    /// <param name="segment">The segment of the batch in which it stopped.</param>
    /// <param name="offset">Bytes of the segment that were sent.</param>
    public LogCursor Fork(LogSegment segment, int offset)
    {
        var cursor = new LogCursor { Entry = -1 };
        lock (_gate)
        {
            // The batch keeps the segment alive, directly or through the one before it.
            Enter(ref cursor, segment, offset);
            Settle(ref cursor);
        }

        return cursor;
    }

    /// <summary>Gives a cursor what comes next for it, in one piece.</summary>
    /// <param name="limit">Sequence at which the subscriber rejoins its lane.</param>
    /// <param name="lost">Messages that the subscriber lost since it was asked last.</param>
    /// <returns>Empty when the cursor has reached the limit; it holds nothing any more.</returns>
    public ReadOnlyMemory<byte> Read(ref LogCursor cursor, long limit, out long lost)
    {
        bool room;
        ReadOnlyMemory<byte> next;
        lock (_gate)
        {
            var from = cursor.Sequence;
            next = ReadNext(ref cursor, limit);
            lost = cursor.Sequence - from;
            room = Sweep();
        }

        if (room) drained();
        return next;
    }

    /// <summary>Moves a cursor over bytes that were sent.</summary>
    /// <returns>Messages completed by them.</returns>
    public long Advance(ref LogCursor cursor, int bytes)
    {
        lock (_gate)
        {
            var from = cursor.Sequence;
            cursor.Offset += bytes;
            Settle(ref cursor);
            return cursor.Sequence - from;
        }
    }

    /// <summary>Lets a cursor's segment go; its subscriber leaves.</summary>
    public void Abandon(ref LogCursor cursor)
    {
        bool room;
        lock (_gate)
        {
            Free(ref cursor);
            room = Sweep();
        }

        if (room) drained();
    }

    /// <summary>Lets everything go; nobody appends or reads any more. Batches and cursors that are still out keep what they hold.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            while (_tail is not null) DropTail();
            _latest?.Clear();
        }
    }

    private bool IsOverBounds => IsOver(_headSequence - _tailSequence, _bytes);

    // With Block nobody loses anything. With Disconnect a lane that lags is our own slowness, for which no subscriber may be cut.
    private bool MustPause => options.Policy switch
    {
        SlowConsumerPolicy.Block => IsOverBounds,
        SlowConsumerPolicy.Disconnect => IsOverBounds && SlowestReader() <= _tailSequence,
        _ => false,
    };

    // Who fell out of the window goes on at its beginning, but under these two.
    private bool IsWanted => _behind > 0 && options.Policy is not (SlowConsumerPolicy.DropNewest or SlowConsumerPolicy.Conflate);

    private bool IsOver(long messages, long bytes) => messages > options.MaxMessages || bytes > options.MaxBytes;

    private ReadOnlyMemory<byte> ReadNext(ref LogCursor cursor, long limit)
    {
        while (cursor.Segment is { } segment)
        {
            if (cursor.Offset == segment.Written && segment.HoldsNext)
            {
                // Either the message goes on there, or the window was set aside and is sent to its end.
                Enter(ref cursor, segment.Next!, 0);
                Settle(ref cursor);
                continue;
            }

            var end = ReadableEnd(cursor, segment, limit);
            if (end > cursor.Offset) return segment.Buffer.AsMemory(cursor.Offset, end - cursor.Offset);
            Free(ref cursor);
        }

        if (_latest is not null) return _latest.Read(ref cursor, limit);
        if (cursor.Sequence < _tailSequence) cursor.Sequence = Math.Min(_tailSequence, limit);
        if (cursor.Sequence >= limit) return default;
        var (found, offset) = Locate(cursor.Sequence);
        Enter(ref cursor, found, offset);
        return found.Buffer.AsMemory(offset, ReadableEnd(cursor, found, limit) - offset);
    }

    /// <summary>How far a cursor may go in its segment: to the limit while it is in the window, to the end of its message when it has fallen out.</summary>
    private int ReadableEnd(in LogCursor cursor, LogSegment segment, long limit)
    {
        var keepsAll = cursor.Sequence >= _tailSequence || options.Policy == SlowConsumerPolicy.DropNewest;
        var until = _latest is null && keepsAll ? limit : cursor.Sequence + (cursor.IsInsideMessage ? 1 : 0);
        if (until > segment.EndSequence || (until == segment.EndSequence && !segment.Continues)) return segment.Written;
        return until <= segment.FirstSequence ? 0 : segment.EndOf(until - 1);
    }

    private static void Settle(ref LogCursor cursor)
    {
        var segment = cursor.Segment!;
        cursor.Sequence = segment.SequenceAt(cursor.Offset);
        cursor.IsInsideMessage = cursor.Offset > segment.StartOf(cursor.Sequence)
            || (segment.IsContinuation && cursor.Sequence == segment.FirstSequence);
    }

    private void Enter(ref LogCursor cursor, LogSegment segment, int offset)
    {
        segment.Retain();
        segment.Cursors++;
        if (segment.IsDropped) _behind++;
        Free(ref cursor);
        (cursor.Segment, cursor.Offset) = (segment, offset);
    }

    private void Free(ref LogCursor cursor)
    {
        cursor.IsInsideMessage = false;
        if (cursor.Segment is not { } segment) return;
        cursor.Segment = null;
        segment.Cursors--;
        if (segment.IsDropped) _behind--;
        segment.Release(pool);
    }

    /// <summary>Sees to a head segment in which the message may begin. Only a message larger than any segment is cut, and it begins in a fresh one.</summary>
    private void MakeRoom(int length)
    {
        if (_head is { IsSealed: false } && length <= _head.Free) return;
        var size = length + sizeof(int);
        var segment = pool.Rent(Math.Max(size, _head is null ? SegmentPool.Small : _segmentSize), _headSequence);
        if (_head is null) (_tail, _tailOffset) = (segment, 0);
        else _head.Link(segment, continues: false);
        _head = segment;
    }

    private void KeepBounds()
    {
        if (options.Policy == SlowConsumerPolicy.Block) return;
        var keep = options.Policy == SlowConsumerPolicy.Disconnect ? SlowestReader() : long.MaxValue;
        // One message stays whatever its size: the source has limited it already.
        while (IsOverBounds && _headSequence - _tailSequence > 1 && _tailSequence < keep) DropOldest();
    }

    /// <summary>
    /// DropNewest: when the window is full of what a subscriber still waits for, its segments are set aside, together, for whoever holds
    /// them, and the window goes on without them. Who has sent them to the end has lost what is gone from the window by then.
    /// </summary>
    private void SetAsideBefore(int length)
    {
        if (_tail is not { IsShared: true } tail || !IsOver(_headSequence - _tailSequence + 1, _bytes + length)) return;
        var slowest = SlowestReader();
        if (IsAhead(tail, slowest)) return;
        for (var segment = tail; segment != _head; segment = segment.Next!) segment.HoldNext();
        _head!.IsSealed = true;
        while (_tail is not null && !IsAhead(_tail, slowest)) DropTail();
    }

    // Whether a lane has yet to send some of the segment.
    private static bool IsAhead(LogSegment segment, long slowest) => segment.EndSequence + (segment.Continues ? 1 : 0) > slowest;

    private void DropOldest()
    {
        while (true)
        {
            var segment = _tail!;
            var ends = _tailSequence < segment.EndSequence;
            var end = ends ? segment.EndOf(_tailSequence) : segment.Written;
            Volatile.Write(ref _bytes, _bytes - (end - _tailOffset));
            _tailOffset = end;
            if (ends) Volatile.Write(ref _tailSequence, _tailSequence + 1);
            if (end == segment.Written && segment != _head) NextTail();
            if (ends) return;
        }
    }

    private void NextTail()
    {
        var segment = _tail!;
        (_tail, _tailOffset) = (segment.Next, 0);
        Drop(segment);
    }

    private void DropTail()
    {
        var segment = _tail!;
        if (segment.Continues)
        {
            // The window begins at the beginning of a message: what goes on in the next segment goes with its first part.
            while (_tailSequence <= segment.EndSequence) DropOldest();
            return;
        }

        Volatile.Write(ref _bytes, _bytes - (segment.Written - _tailOffset));
        Volatile.Write(ref _tailSequence, segment.EndSequence);
        if (segment == _head)
        {
            (_tail, _head, _tailOffset) = (null, null, 0);
            Drop(segment);
        }
        else
        {
            NextTail();
        }
    }

    private void Drop(LogSegment segment)
    {
        segment.IsDropped = true;
        _behind += segment.Cursors;
        segment.Release(pool);
    }

    /// <summary>Gives back what every lane has passed and no cursor or batch retains; nothing while the window is what a subscriber that fell out of it gets next.</summary>
    /// <returns>Whether a full log has room again.</returns>
    private bool Sweep()
    {
        var slowest = SlowestReader();
        while (!IsWanted && _tail is { IsShared: false } segment && !IsAhead(segment, slowest)) DropTail();
        if (!_full) return false;
        KeepBounds();
        _full = MustPause;
        return !_full;
    }

    private long SlowestReader()
    {
        var slowest = _headSequence;
        foreach (var reader in _readers) slowest = Math.Min(slowest, reader.Sequence);
        return slowest;
    }

    private (LogSegment Segment, int Offset) Locate(long sequence)
    {
        var segment = _tail!;
        // A message that continues begins in the last segment that it could be in.
        while (sequence >= segment.EndSequence + (segment.Continues ? 1 : 0)) segment = segment.Next!;
        return (segment, segment.StartOf(sequence));
    }
}
