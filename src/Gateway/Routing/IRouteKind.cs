using Gateway.Backends;
using Gateway.Configuration;

namespace Gateway.Routing;

/// <summary>A kind of web endpoint (call, publish, push, stream). Each feature registers its own; the configured routes are made by asking them.</summary>
internal interface IRouteKind
{
    /// <summary>Whether routes onto a backend of this socket type are of this kind.</summary>
    bool Serves(string socket);

    /// <summary>Makes the endpoint of one configured route. The configuration is valid.</summary>
    RouteHandler Create(RouteDefinition route);
}

/// <summary>One configured route with its backend.</summary>
/// <param name="BackendOptions">What the backend was made from: a call's timeout and retries stand there.</param>
internal sealed record RouteDefinition(string Name, WebRouteOptions Options, IBackend Backend, BackendOptions BackendOptions);

/// <summary>What a route kind makes of a definition.</summary>
/// <param name="Handle">Serves a request.</param>
/// <param name="Methods">HTTP methods it answers to.</param>
/// <param name="Metadata">Endpoint metadata: names, tags, produced and accepted types for OpenAPI.</param>
internal sealed record RouteHandler(RequestDelegate Handle, IReadOnlyList<string> Methods, IReadOnlyList<object> Metadata)
{
    /// <summary>Called once when a reload has removed or replaced the route: to let go of what the handler holds. Requests may still be running.</summary>
    public Action? Removed { get; init; }

    /// <summary>Serves a WebSocket on the route's path, where <see cref="Methods"/> do not take GET themselves; null where there is none.</summary>
    public RequestDelegate? WebSocket { get; init; }
}
