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
    private readonly EndpointTrial _trial;
    private readonly IDisposable _listening;
    private readonly Lock _gate = new();
    private Dictionary<string, Served> _served = new(StringComparer.OrdinalIgnoreCase);
    private IReadOnlyList<Endpoint>? _endpoints;
    private CancellationTokenSource _changed = new();

    public GatewayEndpointDataSource(
        GatewayConfiguration configuration, IBackendRegistry backends, IEnumerable<IRouteKind> kinds, EndpointTrial trial,
            ILogger<GatewayEndpointDataSource> logger)
    {
        (_configuration, _backends, _kinds, _trial, _logger) = (configuration, backends, [.. kinds], trial, logger);
        _listening = configuration.OnPrepare(Prepare);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Endpoint> Endpoints
    {
        get
        {
            lock (_gate)
            {
                if (_endpoints is null) (_served, _endpoints) = Build(_configuration.Current);
                return _endpoints;
            }
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

    /// <summary>Makes the next endpoints and has routing try them; those that are served stay until <see cref="TakeOver"/>.</summary>
    private Change Prepare(GatewaySnapshot snapshot)
    {
        lock (_gate)
        {
            var (served, endpoints) = Build(snapshot);
            try
            {
                _trial.Try(endpoints);
            }
            catch
            {
                LetGo(served, kept: _served);
                throw;
            }

            return new Change(this, served, endpoints);
        }
    }

    private void TakeOver(Dictionary<string, Served> served, IReadOnlyList<Endpoint> endpoints)
    {
        Dictionary<string, Served> gone;
        CancellationTokenSource before;
        lock (_gate)
        {
            (gone, _served, _endpoints) = (_served, served, endpoints);
            before = _changed;
            _changed = new();
        }

        LetGo(gone, kept: served);
        // Outside the lock: who listens asks for the endpoints at once.
        before.Cancel();
        before.Dispose();
    }

    private (Dictionary<string, Served> Served, IReadOnlyList<Endpoint> Endpoints) Build(GatewaySnapshot snapshot)
    {
        var next = new Dictionary<string, Served>(StringComparer.OrdinalIgnoreCase);
        try
        {
            foreach (var (name, options) in snapshot.Routes.OrderBy(route => route.Key, StringComparer.OrdinalIgnoreCase))
            {
                var text = JsonSerializer.Serialize(options);
                if (_served.TryGetValue(name, out var same) && same.Text == text) next[name] = same;
                else if (Serve(name, options, snapshot.Backends[options.Backend], text) is { } served) next[name] = served;
            }

            return (next, [.. next.Values.Select(served => served.Endpoint), .. OtherMethods(next.Values)]);
        }
        catch
        {
            LetGo(next, kept: _served);
            throw;
        }
    }

    /// <summary>Tells the handlers that are not kept; one that fails keeps the others from nothing.</summary>
    private void LetGo(Dictionary<string, Served> routes, Dictionary<string, Served> kept)
    {
        foreach (var (name, route) in routes)
        {
            if (kept.TryGetValue(name, out var now) && ReferenceEquals(now, route)) continue;
            try
            {
                route.Handler.Removed?.Invoke();
            }
#pragma warning disable CA1031 // The route is gone whatever its handler says to that.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _logger.RouteNotLetGo(e, name);
            }
        }
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

    private sealed class Change(GatewayEndpointDataSource owner, Dictionary<string, Served> served, IReadOnlyList<Endpoint> endpoints)
        : IPreparedChange
    {
        public void TakeOver() => owner.TakeOver(served, endpoints);

        public void GiveUp() => owner.LetGo(served, kept: owner._served);
    }

    private sealed record Served(string Text, RouteHandler Handler, RouteEndpoint Endpoint, RequestDelegate? WebSocket);
}
