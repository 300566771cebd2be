using Gateway.Configuration;
using Gateway.Routing;
using Gateway.WebSockets;
using Gateway.Zws;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Streams;

/// <summary>Serves the ZeroMQ peers of one stream route: to them it is an XPUB, or a PUSH where its backend is a PULL.</summary>
internal sealed class ZwsStream
{
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(10);

    private readonly RouteDefinition _route;
    private readonly TopicHub _hub;
    private readonly ZwsFormat _format;
    private readonly StreamServices _streams;
    private readonly SubscriberSet _subscribers;
    private readonly ZmtpOptions _options;
    private readonly ILogger _logger;

    /// <param name="subscribers">Told when the route goes away.</param>
    public ZwsStream(RouteDefinition route, TopicHub hub, ZwsFormat format, StreamServices streams, SubscriberSet subscribers, ZwsServices services, ILogger logger)
    {
        (_route, _hub, _format, _streams, _subscribers, _logger) = (route, hub, format, streams, subscribers, logger);
        _options = new ZmtpOptions
        {
            MaxMessageSize = streams.Limits.MaxWebSocketMessageSize, MaxTopicLength = streams.Limits.MaxTopicLength, HandshakeTimeout = HandshakeTime, Time = streams.Timing.Time,
        };
        Subprotocols = services.Subprotocols(route, _options);
    }

    /// <summary>What it answers to.</summary>
    public IReadOnlyList<string> Subprotocols { get; }

    /// <summary>Serves a peer until it ends.</summary>
    /// <param name="topics">Of the path and the query: what it may subscribe to; none means all.</param>
    public async Task ServeAsync(HttpContext context, string subprotocol, IReadOnlyList<byte[]> topics)
    {
        var transport = await WebSocketHandshake.AcceptAsync(context, subprotocol);
        var isPull = _route.Backend.Socket is "PULL" or "GATHER";
        var abort = new ConnectionAbort(context);
        var wire = SubscriberWire.To(transport, _streams.Limits.NotSentLowWater);
        var wishes = new ZwsWishes(topics, wantsAll: isPull, Math.Max(1, _streams.Limits.MaxTopicsPerClient), SocketRoles.HasGroups(_route.Backend.Socket));
        var subscriber = new ZwsSubscriber(
            _hub, _hub.SubscribeToNothing(_format), wire, _streams.Timing, abort.Abort, wishes,
            self => self.Session!.IsEncrypted ? new SealedZwsFormat(_route.Options, _format.Counters, self.Session!) : _format);
        var link = new ZwsSubscriberLink(transport.Stream, HttpLink.RemoteOf(context), abort.Abort, subscriber);
        subscriber.Session = new WebSocketSession(link, subprotocol, _route.Name, isPull ? SocketType.Push : SocketType.XPub, _options, subscriber);
        if (subscriber.Session.IsBare) KeepAlive(transport.Socket);
        _format.Counters.Came();
        _subscribers.Add(subscriber);
        _streams.Ticker.Add(subscriber);
        try
        {
            var reason = await subscriber.Session.RunAsync(CancellationToken.None);
            // Where a close could be said the session has said it; it leaves after that.
            if (!subscriber.IsClosing) abort.Abort();
            await subscriber.LeaveAsync();
            _logger.PeerEnded(_route.Name, context.Connection.Id, reason?.Message ?? "closed");
        }
        finally
        {
            _streams.Ticker.Remove(subscriber);
            _subscribers.Remove(subscriber);
            subscriber.Subscription.End();
            _format.Counters.Went();
            abort.Disarm();
        }
    }

    /// <summary>A peer that is not pinged is watched by TCP.</summary>
    private static void KeepAlive(System.Net.Sockets.Socket? socket)
    {
        try
        {
            socket?.SetSocketOption(System.Net.Sockets.SocketOptionLevel.Socket, System.Net.Sockets.SocketOptionName.KeepAlive, true);
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            // The client left during the upgrade: the session finds out.
        }
    }
}
