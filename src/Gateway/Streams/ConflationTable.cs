using System.Diagnostics.CodeAnalysis;

namespace Gateway.Streams;

/// <summary>
/// The latest message of each topic, in the order of their sequences: what a subscriber that fell behind gets under Conflate. It is shared;
/// a subscriber needs no more than its sequence. Bounded by topics and bytes, least recently updated out.
/// </summary>
/// <remarks>Under the lock of its log.</remarks>
internal sealed class ConflationTable(int maxTopics, long maxBytes, SegmentPool pool)
{
    private readonly Dictionary<byte[], int> _byTopic = new(TopicComparer.Instance);
    private readonly Stack<int> _free = new();
    private Entry[] _entries = new Entry[16];
    private int _used;
    private int _oldest = -1;
    private int _newest = -1;
    private long _bytes;
    private long _evicted;

    /// <summary>Topics that were let go because the table was full.</summary>
    public long Evicted => Volatile.Read(ref _evicted);

    /// <summary>Makes a message the latest of its topic.</summary>
    public void Put(in FrameBytes topic, long sequence, ReadOnlySpan<byte> header, in FrameBytes body)
    {
        // Topics in several pieces are told apart by their first: 64 KiB.
        var topics = _byTopic.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (topics.TryGetValue(topic.Span, out var index))
        {
            Unlink(index);
            Drop(ref _entries[index]);
        }
        else
        {
            index = NewEntry();
            _entries[index].Topic = topic.Span.ToArray();
            _byTopic.Add(_entries[index].Topic, index);
        }

        ref var entry = ref _entries[index];
        entry.Sequence = sequence;
        entry.Length = header.Length + body.Length;
        entry.First = pool.Rent(entry.Length + sizeof(int), sequence);
        entry.First.Write(header, body, pool);
        // Further segments live as long as the one before them; there is no window that would hold them too.
        for (var segment = entry.First; segment.Continues; segment = segment.Next!) segment.Next!.Release(pool);
        _bytes += entry.Length;
        LinkNewest(index);
        while (_oldest != _newest && (_byTopic.Count > maxTopics || _bytes > maxBytes)) EvictOldest();
    }

    /// <summary>Moves a cursor, which stands at the beginning of a message, to the first message from there on that is still the latest of its topic.</summary>
    /// <returns>Its first piece; empty when the limit is reached.</returns>
    public ReadOnlyMemory<byte> Read(ref LogCursor cursor, long limit)
    {
        var index = FindFrom(cursor);
        if (index < 0 || _entries[index].Sequence >= limit)
        {
            cursor.Sequence = Math.Max(cursor.Sequence, limit);
            return default;
        }

        var entry = _entries[index];
        entry.First!.Retain();
        entry.First.Cursors++;
        (cursor.Segment, cursor.Offset, cursor.Sequence, cursor.Entry) = (entry.First, 0, entry.Sequence, index);
        return entry.First.Buffer.AsMemory(0, entry.First.Written);
    }

    /// <summary>Lets everything go.</summary>
    public void Clear()
    {
        for (var index = _oldest; index >= 0; index = _entries[index].Newer) Drop(ref _entries[index]);
        _byTopic.Clear();
        _free.Clear();
        (_entries, _used, _oldest, _newest) = (new Entry[16], 0, -1, -1);
    }

    private int FindFrom(in LogCursor cursor)
    {
        // What was sent last still stands where it stood unless its topic was updated since: then what is next to it comes next.
        if (cursor.Entry >= 0 && cursor.Entry < _used && _entries[cursor.Entry] is { First: not null } last && last.Sequence == cursor.Sequence - 1)
        {
            return last.Newer;
        }

        var found = -1;
        for (var index = _newest; index >= 0 && _entries[index].Sequence >= cursor.Sequence; index = _entries[index].Older) found = index;
        return found;
    }

    private int NewEntry()
    {
        if (_free.TryPop(out var free)) return free;
        if (_used == _entries.Length) Array.Resize(ref _entries, _used * 2);
        return _used++;
    }

    private void EvictOldest()
    {
        var index = _oldest;
        Unlink(index);
        ref var entry = ref _entries[index];
        _byTopic.Remove(entry.Topic);
        Drop(ref entry);
        _free.Push(index);
        _evicted++;
    }

    private void Drop(ref Entry entry)
    {
        entry.First!.Release(pool);
        entry.First = null;
        _bytes -= entry.Length;
    }

    private void LinkNewest(int index)
    {
        (_entries[index].Older, _entries[index].Newer) = (_newest, -1);
        if (_newest >= 0) _entries[_newest].Newer = index;
        else _oldest = index;
        _newest = index;
    }

    private void Unlink(int index)
    {
        var (older, newer) = (_entries[index].Older, _entries[index].Newer);
        if (older >= 0) _entries[older].Newer = newer;
        else _oldest = newer;
        if (newer >= 0) _entries[newer].Older = older;
        else _newest = older;
    }

    private struct Entry
    {
        public byte[] Topic;
        public LogSegment? First;
        public long Sequence;
        public int Length;
        public int Older;
        public int Newer;
    }

    private sealed class TopicComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly TopicComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            // HashCode is seeded per process, so that topics cannot be chosen to collide.
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
