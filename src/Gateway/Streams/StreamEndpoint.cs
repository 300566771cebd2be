using Gateway.Configuration;
using Gateway.Routing;
using Gateway.WebSockets;

namespace Gateway.Streams;

/// <summary>Serves one stream route: a WebSocket is a subscription. Other representations will join it here, on the same audiences.</summary>
internal sealed class StreamEndpoint(
    RouteDefinition route, TopicHub hub, StreamFormat format, StreamServices streams, GatewayConfiguration configuration, ILogger logger)
{
    // A peer that broke a rule may still be sending; these bound how long we listen so that it gets our close and not a reset.
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(1);
    private const long DrainBytes = 1024 * 1024;

    // socket(7) and tcp(7) of Linux; .NET has no names for them.
    private const int ProtocolTcp = 6;
    private const int TcpNotSentLowWater = 25;

    private readonly SubscriberSet _subscribers = streams.NewSet();
    private readonly WebSocketLimits _limits = new(streams.Limits.MaxWebSocketMessageSize, streams.Limits.MaxWebSocketFragments, WebSocketDataPolicy.Discard);

    /// <summary>Subscribes a WebSocket until it ends; answers anything else with a problem. A source that is not ready is no reason to refuse: it reconnects by itself.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        if (!WebSocketHandshake.TryCheck(context, supported: [], requireSubprotocol: false, out var subprotocol, out var refusal))
        {
            await RefuseAsync(context, refusal);
            return;
        }

        // Before the 101: whoever sees it gets everything that the source sends from then on.
        var subscription = hub.Subscribe(format, TopicRequest.Read(context.Request, configuration.Current.Limits));
        try
        {
            await ServeAsync(context, await WebSocketHandshake.AcceptAsync(context, subprotocol), subscription);
        }
        finally
        {
            subscription.End();
        }
    }

    /// <summary>The route is gone: its subscribers are told to go.</summary>
    public void Remove()
    {
        streams.Forget(_subscribers);
        streams.Metrics.Remove(format.Counters);
        // In one share, so it is over before it returns.
        _ = _subscribers.CloseAsync(shares: 1, static () => Task.CompletedTask);
    }

    private async Task ServeAsync(HttpContext context, WebSocketTransport transport, Subscription subscription)
    {
        var abort = new ConnectionAbort(context);
        var reader = new WebSocketReader(transport.Stream, _limits);
        var subscriber = new WebSocketSubscriber(subscription, WireTo(transport), streams.Timing, abort.Abort);
        format.Counters.Came();
        _subscribers.Add(subscriber);
        streams.Ticker.Add(subscriber);
        subscriber.Join();
        try
        {
            var end = await reader.RunAsync(subscriber, CancellationToken.None);
            if (end.ShouldSendClose) subscriber.Close(end.Code, end.Reason);
            else abort.Abort();
            await subscriber.LeaveAsync();
            if (end.Kind is WebSocketEndKind.Failed or WebSocketEndKind.Refused)
            {
                using var enough = new CancellationTokenSource(DrainTime, streams.Timing.Time);
                await reader.DrainAsync(DrainBytes, enough.Token);
            }

            logger.SubscriberEnded(route.Name, context.Connection.Id, end.Kind, (int)end.Code);
        }
        finally
        {
            streams.Ticker.Remove(subscriber);
            _subscribers.Remove(subscriber);
            format.Counters.Went();
            abort.Disarm();
        }
    }

    private SubscriberWire WireTo(WebSocketTransport transport)
    {
        if (transport.Socket is not { } socket) return new StreamWire(transport.Stream);
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // What a slow client has not taken waits in the log, once for all, and not in the kernel.
                Span<byte> lowWater = stackalloc byte[sizeof(int)];
                BitConverter.TryWriteBytes(lowWater, streams.Limits.NotSentLowWater);
                socket.SetRawSocketOption(ProtocolTcp, TcpNotSentLowWater, lowWater);
            }

            return new SocketWire(socket);
        }
        catch (Exception e) when (e is ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            // The client left during the upgrade: its reader finds out and ends the subscription.
            return new StreamWire(transport.Stream);
        }
    }

    private Task RefuseAsync(HttpContext context, WebSocketRefusal refusal)
    {
        // The problem document clears the headers, so these come after it.
        context.Response.OnStarting(() =>
        {
            refusal.ApplyTo(context.Response);
            return Task.CompletedTask;
        });
        var detail = WebSocketHandshake.IsRequested(context)
            ? refusal.Detail
            : $"Route '{route.Name}' is a stream: open it as a WebSocket, such as new WebSocket(\"ws://…{context.Request.Path}\") in a browser.";
        return Problems.WriteAsync(context, refusal.Status, refusal.Code, detail);
    }
}
