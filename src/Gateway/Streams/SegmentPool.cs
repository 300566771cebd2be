namespace Gateway.Streams;

/// <summary>Free segments in three sizes, bounded; what is over the bound goes to the garbage collector.</summary>
/// <remarks>Not ArrayPool: its arrays of more than 64 KiB are large objects, and a segment is more than its array.</remarks>
internal sealed class SegmentPool
{
    /// <summary>Size of a segment for one short message.</summary>
    public const int Tiny = 512;

    /// <summary>Size of the first segment of a log.</summary>
    public const int Small = 4 * 1024;

    /// <summary>Size of a full segment: four messages of 16 KiB with their headers and ends, and below the large-object limit of 85,000 bytes.</summary>
    public const int Large = (64 * 1024) + 512;

    private readonly Shelf _tiny = new(4096);
    private readonly Shelf _small = new(2048);
    private readonly Shelf _large = new(512);

    private long _rented;

    /// <summary>Bytes of segments in use, for the metrics and for tests that nothing leaks.</summary>
    public long RentedBytes => Interlocked.Read(ref _rented);

    /// <summary>Takes a segment of at least this size, or the largest there is.</summary>
    public LogSegment Rent(int bytes, long firstSequence)
    {
        var (shelf, size) = bytes <= Tiny ? (_tiny, Tiny) : bytes <= Small ? (_small, Small) : (_large, Large);
        var segment = shelf.Take() ?? new LogSegment(size);
        Interlocked.Add(ref _rented, size);
        segment.Begin(firstSequence);
        return segment;
    }

    /// <summary>Takes a segment back that nobody can reach any more.</summary>
    public void Return(LogSegment segment)
    {
        var size = segment.Buffer.Length;
        Interlocked.Add(ref _rented, -size);
        (size switch { Tiny => _tiny, Small => _small, _ => _large }).Put(segment);
    }

    private sealed class Shelf(int capacity)
    {
        private readonly Lock _gate = new();
        private readonly LogSegment?[] _segments = new LogSegment?[capacity];
        private int _count;

        public LogSegment? Take()
        {
            lock (_gate)
            {
                if (_count == 0) return null;
                var segment = _segments[--_count];
                _segments[_count] = null;
                return segment;
            }
        }

        public void Put(LogSegment segment)
        {
            lock (_gate)
            {
                if (_count < capacity) _segments[_count++] = segment;
            }
        }
    }
}
