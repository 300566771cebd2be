namespace Gateway.Streams;

/// <summary>A prefix that somebody wants, with the audiences that want it. Under the lock of its hub.</summary>
internal sealed class TopicFilter(byte[] prefix)
{
    /// <summary>The prefix.</summary>
    public byte[] Prefix => prefix;

    /// <summary>Who wants it.</summary>
    public List<Audience> Audiences { get; } = [];

    /// <summary>Messages that it matched.</summary>
    public long Matched { get; set; }

    /// <summary>Place in the hub's list of those that have matched none.</summary>
    public LinkedListNode<TopicFilter>? Unmatched { get; set; }
}
