using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Routing;
using Gateway.Templates;

namespace Gateway.Calls;

/// <summary>A call route with its templates parsed; immutable.</summary>
internal sealed class CallRoute(RouteDefinition definition, LimitOptions limits)
{
    /// <summary>Media type of replies where neither the route nor the backend says one.</summary>
    public const string DefaultContentType = "application/octet-stream";

    /// <summary>Name from the configuration.</summary>
    public string Name { get; } = definition.Name;

    /// <summary>Name of the backend.</summary>
    public string BackendName { get; } = definition.Backend.Name;

    /// <summary>Tags of the route's measurements.</summary>
    public KeyValuePair<string, object?>[] Tags { get; } = [new("gateway.route", definition.Name), new("gateway.backend", definition.Backend.Name)];

    /// <summary>Where calls go.</summary>
    public ICaller Caller { get; } = (ICaller)definition.Backend;

    /// <summary>Limits that hold for all routes.</summary>
    public LimitOptions Limits { get; } = limits;

    /// <summary>Size limits.</summary>
    public WebRouteOptions Options { get; } = definition.Options;

    /// <summary>From the sent request to the first part of its reply.</summary>
    public TimeSpan Timeout { get; } = definition.Options.Timeout ?? definition.BackendOptions.Timeout;

    /// <summary>Media type of replies.</summary>
    public string ContentType { get; } = definition.Options.ContentType ?? DefaultContentType;

    /// <summary>What is sent.</summary>
    public RequestTemplate Request { get; } = RequestTemplate.Parse(definition.Options.Request, routeParameters: null, out _) ?? throw Invalid(definition);

    /// <summary>What comes back.</summary>
    public ReplyTemplate Reply { get; } = ReplyTemplate.Parse(definition.Options.Reply, out _) ?? throw Invalid(definition);

    /// <summary>Whether another attempt does no harm (RFC 9110, section 9.2.2), or was allowed although it may.</summary>
    public bool IsRepeatable(string method) =>
        _repeatsUnsafe || HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsPut(method) || HttpMethods.IsDelete(method);

    private readonly bool _repeatsUnsafe = definition.BackendOptions.Retry.Unsafe;

    private static InvalidOperationException Invalid(RouteDefinition definition) =>
        new($"Route '{definition.Name}' has an invalid template, which the configuration's validation should have refused.");
}
