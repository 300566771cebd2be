namespace Gateway.Streams;

/// <summary>Where one subscriber stands that does not move with its lane. Belongs to one sender loop; only the log changes it.</summary>
internal struct LogCursor
{
    /// <summary>The segment it stands in and retains, or null where it stands at the beginning of a message.</summary>
    public LogSegment? Segment;

    /// <summary>Bytes of the segment that are sent.</summary>
    public int Offset;

    /// <summary>Sequence of the message that is being sent or comes next.</summary>
    public long Sequence;

    /// <summary>Whether some bytes of the message are sent, so that the rest must follow before anything else.</summary>
    public bool IsInsideMessage;

    /// <summary>With Conflate: where in the table the message sent last stood, a hint.</summary>
    public int Entry;
}

/// <summary>A group of subscribers that are all caught up to the same place: one sender loop's share of an audience.</summary>
internal sealed class LogReader
{
    /// <summary>Sequence of the next message to send; always at a message's beginning.</summary>
    public long Sequence { get; set; }
}

/// <summary>What a lane sends next: whole messages, in one piece or, with a message larger than a segment, in several.</summary>
/// <param name="First">The first segment; retained until the batch is completed.</param>
/// <param name="Offset">Where the first piece begins; each further one begins at 0.</param>
/// <param name="Last">The last segment.</param>
/// <param name="End">Where the last piece ends; all others end where their segment does.</param>
/// <param name="EndSequence">Sequence after the batch.</param>
internal readonly record struct LogBatch(LogSegment First, int Offset, LogSegment Last, int End, long EndSequence);
