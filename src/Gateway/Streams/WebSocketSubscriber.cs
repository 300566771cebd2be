using Gateway.WebSockets;

namespace Gateway.Streams;

/// <summary>A subscriber over a WebSocket without a subprotocol: one WebSocket message per message, and nothing of its own to say.</summary>
internal sealed class WebSocketSubscriber(Subscription subscription, SubscriberWire wire, WebSocketTiming timing, Action abort)
    : FramedSubscriber(subscription, wire, timing, abort), IWebSocketReceiver
{
    /// <inheritdoc/>
    public ValueTask<WebSocketCloseCode> OnDataAsync(WebSocketOpcode opcode, ReadOnlyMemory<byte> payload, bool endOfMessage) => default;

    /// <inheritdoc/>
    public ValueTask OnPingAsync(ReadOnlyMemory<byte> payload)
    {
        if (Control.OfferPong(payload.Span)) Wake();
        return default;
    }

    /// <inheritdoc/>
    public void OnPong(ReadOnlySpan<byte> payload)
    {
        // Any byte is a sign of life; which ping it answers does not matter.
    }
}
