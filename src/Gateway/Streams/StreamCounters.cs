namespace Gateway.Streams;

/// <summary>What is counted of one route; read by the metrics when somebody asks. Costs an addition per pass of a lane, not per delivery.</summary>
internal sealed class StreamCounters(string route, string backend)
{
    private long _delivered;
    private long _deliveredBytes;
    private long _dropped;
    private long _evicted;
    private long _cut;
    private int _active;

    /// <summary>Tags of the route's measurements.</summary>
    public KeyValuePair<string, object?>[] Tags { get; } = [new("gateway.route", route), new("gateway.backend", backend)];

    /// <summary>Messages that were handed to the connections of subscribers, counted once for each.</summary>
    public long DeliveredMessages => Interlocked.Read(ref _delivered);

    /// <summary>Bytes of them, framing included.</summary>
    public long DeliveredBytes => Interlocked.Read(ref _deliveredBytes);

    /// <summary>Messages that subscribers lost because they did not keep up, counted once for each.</summary>
    public long DroppedMessages => Interlocked.Read(ref _dropped);

    /// <summary>Topics that were forgotten because there were too many.</summary>
    public long EvictedTopics => Interlocked.Read(ref _evicted);

    /// <summary>Subscribers that were cut: a write stalled, or a ping was not answered.</summary>
    public long CutSubscribers => Interlocked.Read(ref _cut);

    /// <summary>Subscribers now.</summary>
    public int ActiveSubscribers => Volatile.Read(ref _active);

    /// <summary>Adds deliveries.</summary>
    public void Delivered(long messages, long bytes)
    {
        Interlocked.Add(ref _delivered, messages);
        Interlocked.Add(ref _deliveredBytes, bytes);
    }

    /// <summary>Adds losses.</summary>
    public void Dropped(long messages) => Interlocked.Add(ref _dropped, messages);

    /// <summary>Adds evictions.</summary>
    public void Evicted(long topics) => Interlocked.Add(ref _evicted, topics);

    /// <summary>Adds a subscriber that was cut.</summary>
    public void Cut() => Interlocked.Increment(ref _cut);

    /// <summary>A subscriber came.</summary>
    public void Came() => Interlocked.Increment(ref _active);

    /// <summary>A subscriber went.</summary>
    public void Went() => Interlocked.Decrement(ref _active);
}
