namespace Gateway.Streams;

/// <summary>The subscribers of one route with the same filters: what they get is encoded once, into one log.</summary>
/// <remarks>Members in the second part are under the lock of the hub.</remarks>
internal sealed class Audience
{
    private readonly SenderLane[] _lanes;

    public Audience(TopicHub hub, StreamFormat format, IReadOnlyList<byte[]> filters, string key, SenderLoops loops, SegmentPool pool)
    {
        (Format, Filters, Key) = (format, filters, key);
        Log = new AudienceLog(format.Subscribers, format.MaxTopics, pool, () => hub.Drained(this));
        _lanes = [.. loops.All.Select(loop => new SenderLane(this, loop))];
    }

    /// <summary>How its messages are encoded.</summary>
    public StreamFormat Format { get; }

    /// <summary>What is counted of its route.</summary>
    public StreamCounters Counters => Format.Counters;

    /// <summary>Prefixes, none of which is a prefix of another.</summary>
    public IReadOnlyList<byte[]> Filters { get; }

    /// <summary>What its filters are found by.</summary>
    public string Key { get; }

    /// <summary>Its messages.</summary>
    public AudienceLog Log { get; }

    /// <summary>The share of one loop.</summary>
    public SenderLane Lane(int loop) => _lanes[loop];

    /// <summary>The share of one loop.</summary>
    public SenderLane Lane(SenderLoop loop) => Array.Find(_lanes, lane => lane.Loop == loop)!;

    /// <summary>Has its lanes send what was appended.</summary>
    public void Wake()
    {
        foreach (var lane in _lanes)
        {
            if (lane.HasMembers) lane.Loop.Post(lane);
        }
    }

    /// <summary>Subscriptions.</summary>
    public int Members { get; set; }

    /// <summary>The message that was matched last, so that one that several filters match is appended once.</summary>
    public long LastMessage { get; set; } = -1;

    /// <summary>Whether something was appended since the last <see cref="Wake"/>.</summary>
    public bool IsTouched { get; set; }

    /// <summary>Whether the source waits for it.</summary>
    public bool IsFull { get; set; }
}
