using Gateway.Configuration;
using Gateway.WebSockets;

namespace Gateway.Streams;

/// <summary>A subscriber over a WebSocket without a subprotocol: one WebSocket message per message, and nothing of its own to say.</summary>
internal sealed class WebSocketSubscriber(Subscription subscription, SubscriberWire wire, WebSocketTiming timing, Action abort)
    : Subscriber(subscription, wire), IWebSocketReceiver, IWebSocketTicked
{
    // Time for the peer's close after ours.
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(5);

    private readonly WebSocketControlQueue _control = new();
    private readonly WebSocketLiveness _liveness = new(timing);
    private long _closeBy = long.MaxValue;
    private bool _isCut;

    /// <inheritdoc/>
    public int TickerSlot { get; set; }

    /// <summary>Place in the list of all; that list's.</summary>
    public int Slot { get; set; }

    /// <inheritdoc/>
    protected override bool HasControl => _control.HasPending;

    /// <summary>Sends the close frame after the message that is being sent; nothing follows it. The first code wins.</summary>
    public void Close(WebSocketCloseCode code, string reason = "")
    {
        if (!_control.OfferClose(code, reason)) return;
        var time = timing.Time;
        Volatile.Write(ref _closeBy, time.GetTimestamp() + (CloseTime.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond));
        Wake();
    }

    /// <inheritdoc/>
    public ValueTask<WebSocketCloseCode> OnDataAsync(WebSocketOpcode opcode, ReadOnlyMemory<byte> payload, bool endOfMessage) => default;

    /// <inheritdoc/>
    public ValueTask OnPingAsync(ReadOnlyMemory<byte> payload)
    {
        if (_control.OfferPong(payload.Span)) Wake();
        return default;
    }

    /// <inheritdoc/>
    public void OnPong(ReadOnlySpan<byte> payload)
    {
        // Any byte is a sign of life; which ping it answers does not matter.
    }

    /// <inheritdoc/>
    public void OnAlive() => _liveness.Alive();

    /// <inheritdoc/>
    public void OnTick(long now)
    {
        switch (_liveness.Judge(now))
        {
            case WebSocketVerdict.SendPing:
                if (_control.OfferPing()) Wake();
                break;
            case WebSocketVerdict.PeerSilent or WebSocketVerdict.WriteStalled:
                if (!_isCut) Audience.Counters.Cut();
                _isCut = true;
                abort();
                break;
            default:
                if (now >= Volatile.Read(ref _closeBy)) abort();
                break;
        }
    }

    /// <inheritdoc/>
    protected override ReadOnlyMemory<byte> TakeControl(out bool ends)
    {
        Span<byte> frames = stackalloc byte[WebSocketControlQueue.MaxTake];
        var length = _control.Take(frames, out ends);
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
}
