using System.Text.Json;
using Gateway.Backends;
using Gateway.Configuration;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Primitives;

namespace Gateway.Routing;

/// <summary>The endpoints of the configured routes. A reload replaces those that changed; the others keep their handlers and what these hold.</summary>
internal sealed class GatewayEndpointDataSource : EndpointDataSource, IDisposable
{
    private readonly IBackendRegistry _backends;
    private readonly IRouteKind[] _kinds;
    private readonly ILogger _logger;
    private readonly GatewayConfiguration _configuration;
    private readonly IDisposable _listening;
    private readonly Lock _gate = new();
    private Dictionary<string, Served> _served = new(StringComparer.OrdinalIgnoreCase);
    private IReadOnlyList<Endpoint>? _endpoints;
    private CancellationTokenSource _changed = new();

    public GatewayEndpointDataSource(
        GatewayConfiguration configuration, IBackendRegistry backends, IEnumerable<IRouteKind> kinds, ILogger<GatewayEndpointDataSource> logger)
    {
        (_configuration, _backends, _kinds, _logger) = (configuration, backends, [.. kinds], logger);
        _listening = configuration.OnChange(Rebuild);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Endpoint> Endpoints
    {
        get
        {
            lock (_gate) return _endpoints ??= Build(_configuration.Current);
        }
    }

    /// <summary>The routes behind the endpoints, in the order of their names.</summary>
    public IEnumerable<ServedRoute> Routes => Endpoints.Select(endpoint => endpoint.Metadata.GetMetadata<ServedRoute>()).OfType<ServedRoute>();

    /// <inheritdoc/>
    public override IChangeToken GetChangeToken()
    {
        lock (_gate) return new CancellationChangeToken(_changed.Token);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listening.Dispose();
        _changed.Dispose();
    }

    private void Rebuild(GatewaySnapshot snapshot)
    {
        CancellationTokenSource before;
        lock (_gate)
        {
            _endpoints = Build(snapshot);
            before = _changed;
            _changed = new();
        }

        // Outside the lock: who listens asks for the endpoints at once.
        before.Cancel();
        before.Dispose();
    }

    private IReadOnlyList<Endpoint> Build(GatewaySnapshot snapshot)
    {
        var before = _served;
        _served = new(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, options) in snapshot.Routes.OrderBy(route => route.Key, StringComparer.OrdinalIgnoreCase))
        {
            var text = JsonSerializer.Serialize(options);
            if (before.TryGetValue(name, out var same) && same.Text == text) _served[name] = same;
            else if (Serve(name, options, snapshot.Backends[options.Backend], text) is { } served) _served[name] = served;
        }

        foreach (var (name, gone) in before)
        {
            if (!_served.TryGetValue(name, out var now) || !ReferenceEquals(now, gone)) gone.Handler.Removed?.Invoke();
        }

        return [.. _served.Values.Select(served => served.Endpoint), .. OtherMethods(_served.Values)];
    }

    private Served? Serve(string name, WebRouteOptions options, BackendOptions backendOptions, string text)
    {
        var kind = SocketRoles.KindOf(backendOptions.Socket)!.Value;
        var maker = _kinds.FirstOrDefault(kind => kind.Serves(backendOptions.Socket));
        if (maker is null || !_backends.TryGet(options.Backend, out var backend))
        {
            _logger.RouteNotServed(name, maker is null ? $"this build has no {kind.Word()} routes" : $"backend {options.Backend} does not run");
            return null;
        }

        var handler = maker.Create(new RouteDefinition(name, options, backend, backendOptions));
        var guard = new RouteGuard(name, handler.Handle, _logger);
        var builder = new RouteEndpointBuilder(guard.HandleAsync, RoutePatternFactory.Parse(options.Path), order: 0) { DisplayName = name };
        builder.Metadata.Add(new HttpMethodMetadata(handler.Methods));
        builder.Metadata.Add(new ServedRoute(name, kind, handler.Methods, options));
        foreach (var metadata in handler.Metadata) builder.Metadata.Add(metadata);
        RequestDelegate? webSocket = handler.WebSocket is { } serve ? new RouteGuard(name, serve, _logger).HandleAsync : null;
        return new Served(text, handler, (RouteEndpoint)builder.Build(), webSocket);
    }

    /// <summary>For each path an endpoint that takes every other method and says so; last in order, so that another route's template goes first.</summary>
    private static IEnumerable<Endpoint> OtherMethods(IEnumerable<Served> served) =>
        from route in served
        group route by route.Endpoint.RoutePattern.RawText! into path
        select Unrouted.OtherMethods(
            path.Key, [.. path.SelectMany(route => route.Handler.Methods).Distinct(StringComparer.Ordinal)],
            path.Select(route => route.WebSocket).FirstOrDefault(webSocket => webSocket is not null));

    private sealed record Served(string Text, RouteHandler Handler, RouteEndpoint Endpoint, RequestDelegate? WebSocket);
}
