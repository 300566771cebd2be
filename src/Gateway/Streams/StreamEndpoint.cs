using Gateway.Configuration;
using Gateway.Routing;
using Gateway.WebSockets;
using Gateway.Zws;

namespace Gateway.Streams;

/// <summary>Serves one stream route: a WebSocket is a subscription. Other representations will join it here, on the same audiences.</summary>
internal sealed class StreamEndpoint
{
    // A peer that broke a rule may still be sending; these bound how long we listen so that it gets our close and not a reset.
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(1);
    private const long DrainBytes = 1024 * 1024;

    private readonly RouteDefinition _route;
    private readonly TopicHub _hub;
    private readonly StreamFormat _format;
    private readonly StreamServices _streams;
    private readonly GatewayConfiguration _configuration;
    private readonly ILogger _logger;
    private readonly SubscriberSet _subscribers;
    private readonly WebSocketLimits _limits;
    private readonly ZwsStream _zws;

    public StreamEndpoint(RouteDefinition route, TopicHub hub, StreamCounters counters, StreamServices streams, ZwsServices zws, GatewayConfiguration configuration, ILogger logger)
    {
        (_route, _hub, _streams, _configuration, _logger) = (route, hub, streams, configuration, logger);
        _format = new StreamFormat(route.Options, counters);
        _subscribers = streams.NewSet();
        _limits = new WebSocketLimits(streams.Limits.MaxWebSocketMessageSize, streams.Limits.MaxWebSocketFragments, WebSocketDataPolicy.Discard);
        _zws = new ZwsStream(route, hub, new ZwsFormat(route.Options, counters), streams, _subscribers, zws, logger);
    }

    /// <summary>Subscribes a WebSocket until it ends; answers anything else with a problem. A source that is not ready is no reason to refuse: it reconnects by itself.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        if (!WebSocketHandshake.TryCheck(context, _zws.Subprotocols, requireSubprotocol: false, out var subprotocol, out var refusal))
        {
            await RefuseAsync(context, refusal);
            return;
        }

        var topics = TopicRequest.Read(context.Request, _configuration.Current.Limits);
        if (subprotocol is not null)
        {
            await _zws.ServeAsync(context, subprotocol, topics);
            return;
        }

        // Before the 101: whoever sees it gets everything that the source sends from then on.
        var subscription = _hub.Subscribe(_format, topics);
        try
        {
            await ServeAsync(context, await WebSocketHandshake.AcceptAsync(context, subprotocol: null), subscription);
        }
        finally
        {
            subscription.End();
        }
    }

    /// <summary>The route is gone: its subscribers are told to go.</summary>
    public void Remove()
    {
        _streams.Forget(_subscribers);
        _streams.Metrics.Remove(_format.Counters);
        // In one share, so it is over before it returns.
        _ = _subscribers.CloseAsync(shares: 1, static () => Task.CompletedTask);
    }

    private async Task ServeAsync(HttpContext context, WebSocketTransport transport, Subscription subscription)
    {
        var abort = new ConnectionAbort(context);
        var reader = new WebSocketReader(transport.Stream, _limits);
        var subscriber = new WebSocketSubscriber(subscription, SubscriberWire.To(transport, _streams.Limits.NotSentLowWater), _streams.Timing, abort.Abort);
        _format.Counters.Came();
        _subscribers.Add(subscriber);
        _streams.Ticker.Add(subscriber);
        subscriber.Join();
        try
        {
            var end = await reader.RunAsync(subscriber, CancellationToken.None);
            if (end.ShouldSendClose) subscriber.Close(end.Code, end.Reason);
            else abort.Abort();
            await subscriber.LeaveAsync();
            if (end.Kind is WebSocketEndKind.Failed or WebSocketEndKind.Refused)
            {
                using var enough = new CancellationTokenSource(DrainTime, _streams.Timing.Time);
                await reader.DrainAsync(DrainBytes, enough.Token);
            }

            _logger.SubscriberEnded(_route.Name, context.Connection.Id, end.Kind, (int)end.Code);
        }
        finally
        {
            _streams.Ticker.Remove(subscriber);
            _subscribers.Remove(subscriber);
            _format.Counters.Went();
            abort.Disarm();
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
            : $"Route '{_route.Name}' is a stream: open it as a WebSocket, such as new WebSocket(\"ws://…{context.Request.Path}\") in a browser.";
        return Problems.WriteAsync(context, refusal.Status, refusal.Code, detail);
    }
}
