using Gateway.Configuration;
using Gateway.WebSockets;

namespace Gateway.Streams;

/// <summary>A subscriber over a WebSocket: what control frames, deadlines and the close are for all of them, whatever the messages are.</summary>
internal abstract class FramedSubscriber(Subscription subscription, SubscriberWire wire, WebSocketTiming timing, Action abort)
    : Subscriber(subscription, wire), IWebSocketTicked
{
    // Time for the peer's close after ours.
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(5);

    private readonly WebSocketLiveness _liveness = new(timing);
    private long _closeBy = long.MaxValue;
    private bool _isCut;

    /// <inheritdoc/>
    public int TickerSlot { get; set; }

    /// <summary>Place in the list of all; that list's.</summary>
    public int Slot { get; set; }

    /// <inheritdoc/>
    protected override bool HasControl => Control.HasPending;

    /// <summary>Control frames that wait.</summary>
    protected WebSocketControlQueue Control { get; } = new();

    /// <summary>Sends the close frame after the message that is being sent; nothing follows it. The first code wins.</summary>
    public void Close(WebSocketCloseCode code, string reason = "")
    {
        if (!Control.OfferClose(code, reason)) return;
        var time = timing.Time;
        Volatile.Write(ref _closeBy, time.GetTimestamp() + (CloseTime.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond));
        Wake();
    }

    /// <summary>Bytes came from the peer.</summary>
    public void OnAlive() => _liveness.Alive();

    /// <inheritdoc/>
    public void OnTick(long now)
    {
        switch (_liveness.Judge(now))
        {
            case WebSocketVerdict.SendPing:
                Ping();
                break;
            case WebSocketVerdict.PeerSilent or WebSocketVerdict.WriteStalled:
                if (!_isCut) Counters.Cut();
                _isCut = true;
                abort();
                break;
            default:
                if (now >= Volatile.Read(ref _closeBy)) abort();
                break;
        }
    }

    /// <inheritdoc/>
    public void OnTickFailed() => abort();

    /// <summary>A ping is due.</summary>
    protected virtual void Ping()
    {
        if (Control.OfferPing()) Wake();
    }

    /// <inheritdoc/>
    protected override ReadOnlyMemory<byte> TakeControl(out bool ends)
    {
        Span<byte> frames = stackalloc byte[WebSocketControlQueue.MaxTake];
        var length = Control.Take(frames, out ends);
        return frames[..length].ToArray();
    }

    /// <inheritdoc/>
    protected override void WriteBegins() => _liveness.WriteBegins();

    /// <inheritdoc/>
    protected override void WriteEnds() => _liveness.WriteEnds();

    /// <inheritdoc/>
    protected override void MessagesLost(long count)
    {
        if (Audience.Format.Subscribers.Policy == SlowConsumerPolicy.Disconnect) Close(WebSocketCloseCode.SlowConsumer, "too slow: messages were lost; reconnect");
    }

    /// <inheritdoc/>
    protected override void ConnectionLost() => abort();

    // Not of the audience, which may be changing: ticks come from another thread.
    private StreamCounters Counters { get; } = subscription.Audience.Counters;
}
