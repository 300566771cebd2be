namespace Gateway.Configuration;

/// <summary>HTTP methods a route answers.</summary>
internal static class RouteMethods
{
    /// <summary>As configured, in upper case; GET for a stream, POST for others that name none.</summary>
    public static IReadOnlyList<string> Of(WebRouteOptions route, RouteKinds kind)
    {
        if (kind == RouteKinds.Stream) return ["GET"];
        return route.Methods.Count == 0 ? ["POST"] : [.. route.Methods.Select(method => method.ToUpperInvariant())];
    }
}
