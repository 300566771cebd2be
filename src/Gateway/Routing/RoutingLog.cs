namespace Gateway.Routing;

/// <summary>Log messages of the configured routes.</summary>
internal static partial class RoutingLog
{
    [LoggerMessage(9001, LogLevel.Error, "Route {Route} failed on request {TraceIdentifier}")]
    public static partial void RouteFailed(this ILogger logger, Exception exception, string route, string traceIdentifier);

    [LoggerMessage(9003, LogLevel.Debug, "Route {Route}: the client of request {TraceIdentifier} went away ({What})")]
    public static partial void ClientGone(this ILogger logger, string route, string traceIdentifier, string what);

    [LoggerMessage(9002, LogLevel.Error, "Route {Route} is not served: {Why}")]
    public static partial void RouteNotServed(this ILogger logger, string route, string why);

    [LoggerMessage(9003, LogLevel.Error, "Route {Route} was removed and did not let go of what it held")]
    public static partial void RouteNotLetGo(this ILogger logger, Exception exception, string route);
}
