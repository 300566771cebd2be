namespace Gateway.Calls;

/// <summary>Log messages of calls.</summary>
internal static partial class CallLog
{
    [LoggerMessage(3001, LogLevel.Debug, "Route {Route}: call failed ({Code})")]
    public static partial void CallFailed(this ILogger logger, Exception exception, string route, string code);
}
