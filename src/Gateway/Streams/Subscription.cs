namespace Gateway.Streams;

/// <summary>A place in an audience, made before the client is told so: what is appended from then on is kept for it until it has joined its lane.</summary>
internal sealed class Subscription
{
    private readonly TopicHub _hub;
    private LogReader? _kept = new();

    public Subscription(TopicHub hub, SenderLane lane)
    {
        (_hub, Lane) = (hub, lane);
        Audience.Log.Add(_kept);
        Start = _kept.Sequence;
    }

    /// <summary>Where it will be served.</summary>
    public SenderLane Lane { get; }

    /// <summary>The audience.</summary>
    public Audience Audience => Lane.Audience;

    /// <summary>Sequence of the first message that is for it.</summary>
    public long Start { get; }

    /// <summary>The subscriber stands in the log by itself now.</summary>
    public void Begun()
    {
        if (Interlocked.Exchange(ref _kept, null) is { } reader) Audience.Log.Remove(reader);
    }

    /// <summary>Gives the place up. Call it once, when nobody sends for it any more.</summary>
    public void End()
    {
        Begun();
        _hub.Unsubscribe(Audience);
    }
}
