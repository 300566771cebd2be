using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Routing;
using Gateway.WebSockets;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Zws;

/// <summary>The ZeroMQ peers over WebSocket of one route whose messages go through sessions of their own: calls, pushes, publications.</summary>
internal sealed class ZwsServer
{
    // Enough for a client that asks ahead; the route's own limits hold besides.
    private const int SendHighWaterMark = 1_000;
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(10);

    private readonly string _route;
    private readonly SocketType _type;
    private readonly ZmtpOptions _options;
    private readonly ZwsServices _services;
    private readonly Func<ZwsPeer> _makePeer;
    private readonly Lock _gate = new();
    private readonly HashSet<WebSocketSession> _sessions = [];
    private bool _isClosing;

    /// <param name="type">What we are to the peers.</param>
    public ZwsServer(RouteDefinition route, SocketType type, ZwsServices services, Func<ZwsPeer> makePeer)
    {
        (_route, _type, _services, _makePeer) = (route.Name, type, services, makePeer);
        var limits = services.Limits;
        _options = new ZmtpOptions
        {
            MaxMessageSize = Math.Max(1, route.Options.MaxBodySize), HandshakeTimeout = HandshakeTime, Time = services.Time, SendHighWaterMark = SendHighWaterMark,
            HeartbeatInterval = limits.PingInterval, HeartbeatTimeout = limits.PongTimeout,
        };
        Subprotocols = services.Subprotocols(route, _options);
        services.Add(this);
    }

    /// <summary>What it answers to.</summary>
    public IReadOnlyList<string> Subprotocols { get; }

    /// <summary>Serves WebSockets on the route's path; null where the route has no ZeroMQ peers.</summary>
    public RequestDelegate? WebSocket => Subprotocols.Count > 0 ? HandleAsync : null;

    /// <summary>Whether a request asks for a WebSocket, and so for this and not for the route's own handler.</summary>
    public static bool IsAsked(HttpContext context) =>
        (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsConnect(context.Request.Method)) && WebSocketHandshake.IsRequested(context);

    /// <summary>Serves a peer until it ends; answers what cannot be upgraded with a problem.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        if (!WebSocketHandshake.TryCheck(context, Subprotocols, requireSubprotocol: true, out var subprotocol, out var refusal))
        {
            context.Response.OnStarting(() =>
            {
                refusal.ApplyTo(context.Response);
                return Task.CompletedTask;
            });
            await Problems.WriteAsync(context, refusal.Status, refusal.Code, refusal.Detail);
            return;
        }

        await ServeAsync(context, subprotocol!);
    }

    /// <summary>The route is gone: its peers are told to go.</summary>
    public void Remove()
    {
        _services.Remove(this);
        GoAway();
    }

    /// <summary>Closes every session with 1001.</summary>
    public void GoAway()
    {
        WebSocketSession[] sessions;
        lock (_gate)
        {
            _isClosing = true;
            sessions = [.. _sessions];
        }

        foreach (var session in sessions) GoAway(session);
    }

    private async Task ServeAsync(HttpContext context, string subprotocol)
    {
        var transport = await WebSocketHandshake.AcceptAsync(context, subprotocol);
        var abort = new ConnectionAbort(context);
        var link = new HttpLink(transport.Stream, HttpLink.RemoteOf(context), abort.Abort);
        var peer = _makePeer();
        var session = new WebSocketSession(link, subprotocol, _route, _type, _options, peer);
        peer.Session = session;
        bool isClosing;
        lock (_gate)
        {
            _sessions.Add(session);
            isClosing = _isClosing;
        }

        _services.Metrics.Came(_route);
        if (isClosing) GoAway(session);
        try
        {
            var reason = await session.RunAsync(CancellationToken.None);
            await peer.EndedAsync();
            _services.Logger.PeerEnded(_route, context.Connection.Id, reason?.Message ?? "closed");
        }
        finally
        {
            lock (_gate) _sessions.Remove(session);
            _services.Metrics.Went(_route);
            abort.Disarm();
        }
    }

    private static void GoAway(WebSocketSession session) => session.Close((int)WebSocketCloseCode.GoingAway, "shutting down; reconnect");
}

/// <summary>What the ZeroMQ peers of all routes share.</summary>
internal sealed class ZwsServices
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<ZwsServer, bool> _servers = [];

    private readonly SocketSecurer _securer;

    public ZwsServices(
        GatewayConfiguration configuration, SocketSecurer securer, ZwsMetrics metrics, TimeProvider time, ILogger<ZwsServices> logger, IHostApplicationLifetime lifetime)
    {
        (_securer, Limits, Metrics, Time, Logger) = (securer, configuration.Current.Limits, metrics, time, logger);
        lifetime.ApplicationStopping.Register(() =>
        {
            foreach (var server in _servers.Keys) server.GoAway();
        });
    }

    /// <summary>Limits as they were at the start.</summary>
    public LimitOptions Limits { get; }

    /// <summary>What is measured.</summary>
    public ZwsMetrics Metrics { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>Where what happens is told.</summary>
    public ILogger Logger { get; }

    /// <summary>Secures the sessions of a route as its options say.</summary>
    /// <returns>What the route answers to; nothing where it has no ZeroMQ peers.</returns>
    public IReadOnlyList<string> Subprotocols(RouteDefinition route, ZmtpOptions options)
    {
        if (!route.Options.Zws.Enabled) return [];
        _securer.Secure(options, route.Options.Zws.Security, $"{GatewayOptions.SectionName}:Routes:{route.Name}:Zws:Security");
        return WebSocketSession.Subprotocols(options);
    }

    /// <summary>A route's server is told when the gateway stops.</summary>
    public void Add(ZwsServer server) => _servers[server] = true;

    /// <summary>Its route is gone.</summary>
    public void Remove(ZwsServer server) => _servers.TryRemove(server, out _);
}

/// <summary>Registers what they need.</summary>
internal static class ZwsRegistration
{
    /// <summary>Adds the services that calls and publishing share.</summary>
    public static IServiceCollection AddZws(this IServiceCollection services) => services.AddSingleton<ZwsMetrics>().AddSingleton<ZwsServices>();
}
