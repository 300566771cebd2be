using Gateway.Configuration;

namespace Gateway.Routing;

/// <summary>A configured route that is being served; endpoint metadata for health and OpenAPI.</summary>
/// <param name="Name">Name from the configuration; the operation id.</param>
/// <param name="Kind">call, publish, push or stream.</param>
/// <param name="Methods">HTTP methods it answers to.</param>
/// <param name="Options">Its options; not to be changed.</param>
internal sealed record ServedRoute(string Name, RouteKinds Kind, IReadOnlyList<string> Methods, WebRouteOptions Options);
