using System.Runtime.InteropServices;

namespace Gateway.Streams;

/// <summary>
/// A stretch of encoded messages: their bytes from the front, their ends as a table from the back of the same array. So a segment says by
/// itself where its messages lie, and what is known of a message lives exactly as long as its bytes.
/// </summary>
/// <remarks>
/// Rent hands out one reference, the log's. Cursors and senders retain what they read and release it; the last release gives the segment
/// back to the pool. A segment that <see cref="HoldsNext"/> keeps its successor alive, so that a message begun can always be finished.
/// Written under the lock of its log.
/// </remarks>
internal sealed class LogSegment(int capacity)
{
    private int _references;

    /// <summary>The bytes, and the ends at the back.</summary>
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(capacity);

    /// <summary>Bytes of messages in the segment.</summary>
    public int Written { get; private set; }

    /// <summary>Number of messages that end in the segment.</summary>
    public int Ends { get; private set; }

    /// <summary>Sequence of the first message that ends, or will end, in the segment.</summary>
    public long FirstSequence { get; private set; }

    /// <summary>Sequence after the last message that ends in the segment.</summary>
    public long EndSequence => FirstSequence + Ends;

    /// <summary>The segment after this one.</summary>
    public LogSegment? Next { get; private set; }

    /// <summary>Whether the last message goes on in <see cref="Next"/>.</summary>
    public bool Continues { get; private set; }

    /// <summary>Whether the first message began in an earlier segment.</summary>
    public bool IsContinuation { get; private set; }

    /// <summary>Whether nothing more may be added, nor the next segment held: a window that was set aside ends here.</summary>
    public bool IsSealed { get; set; }

    /// <summary>Subscribers' own cursors that stand in the segment.</summary>
    public int Cursors { get; set; }

    /// <summary>Whether the log's window has gone on without the segment; only those who retain it see it.</summary>
    public bool IsDropped { get; set; }

    /// <summary>Whether <see cref="Next"/> stays alive as long as this segment.</summary>
    public bool HoldsNext { get; private set; }

    /// <summary>Bytes that a message may still take, its end mark allowed for.</summary>
    public int Free => Buffer.Length - Written - (sizeof(int) * (Ends + 1));

    /// <summary>Whether anybody but the log retains the segment.</summary>
    public bool IsShared => Volatile.Read(ref _references) > 1;

    private Span<int> EndTable => MemoryMarshal.Cast<byte, int>(Buffer.AsSpan());

    /// <summary>Makes a segment from the pool ready: empty, with one reference.</summary>
    public void Begin(long firstSequence)
    {
        (Written, Ends, FirstSequence, Next) = (0, 0, firstSequence, null);
        (Continues, IsContinuation, HoldsNext, IsSealed, IsDropped) = (false, false, false, false, false);
        Cursors = 0;
        Volatile.Write(ref _references, 1);
    }

    /// <summary>Adds a message, whose beginning fits; what does not fit goes on in further segments.</summary>
    /// <returns>The segment in which the message ends.</returns>
    public LogSegment Write(ReadOnlySpan<byte> header, in FrameBytes body, SegmentPool pool)
    {
        var last = Write(header, pool);
        if (body.IsSinglePiece)
        {
            last = last.Write(body.Span, pool);
        }
        else
        {
            foreach (var piece in body.Pieces) last = last.Write(piece.Span, pool);
        }

        var table = last.EndTable;
        table[table.Length - 1 - last.Ends] = last.Written;
        last.Ends++;
        return last;
    }

    /// <summary>Appends a segment.</summary>
    /// <param name="continues">Whether the message being written goes on there.</param>
    public void Link(LogSegment next, bool continues)
    {
        (Next, Continues, next.IsContinuation) = (next, continues, continues);
        if (continues) HoldNext();
    }

    /// <summary>Keeps <see cref="Next"/> alive as long as this segment.</summary>
    public void HoldNext()
    {
        if (HoldsNext || (IsSealed && !Continues)) return;
        Next!.Retain();
        HoldsNext = true;
    }

    /// <summary>Where a message that ends here ends.</summary>
    public int EndOf(long sequence)
    {
        var table = EndTable;
        return table[table.Length - 1 - (int)(sequence - FirstSequence)];
    }

    /// <summary>Where a message begins that ends here, or is the last to begin here. 0 also for one that began in an earlier segment.</summary>
    public int StartOf(long sequence) => sequence == FirstSequence ? 0 : EndOf(sequence - 1);

    /// <summary>Sequence of the message that the byte at <paramref name="offset"/> belongs to.</summary>
    public long SequenceAt(int offset)
    {
        var table = EndTable;
        var (low, high) = (0, Ends);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (table[table.Length - 1 - middle] <= offset) low = middle + 1;
            else high = middle;
        }

        return FirstSequence + low;
    }

    private LogSegment Write(ReadOnlySpan<byte> bytes, SegmentPool pool)
    {
        var segment = this;
        while (true)
        {
            var fits = Math.Min(bytes.Length, segment.Free);
            bytes[..fits].CopyTo(segment.Buffer.AsSpan(segment.Written));
            segment.Written += fits;
            bytes = bytes[fits..];
            if (bytes.IsEmpty) return segment;
            var next = pool.Rent(SegmentPool.Large, segment.EndSequence);
            segment.Link(next, continues: true);
            segment = next;
        }
    }

    /// <summary>Takes a reference; the caller knows that there is one already.</summary>
    public void Retain() => Interlocked.Increment(ref _references);

    /// <summary>Gives a reference back; the last one returns the segment, and what it held, to the pool.</summary>
    public void Release(SegmentPool pool)
    {
        var segment = this;
        while (segment is not null)
        {
            var left = Interlocked.Decrement(ref segment._references);
            ObjectDisposedException.ThrowIf(left < 0, segment);
            if (left > 0) return;
            var held = segment.HoldsNext ? segment.Next : null;
            pool.Return(segment);
            segment = held;
        }
    }
}
