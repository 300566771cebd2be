namespace Gateway.Zws;

/// <summary>Log messages of ZeroMQ peers over WebSocket.</summary>
internal static partial class ZwsLog
{
    [LoggerMessage(5101, LogLevel.Debug, "Route {Route}: ZeroMQ peer {Connection} ended: {Reason}")]
    public static partial void PeerEnded(this ILogger logger, string route, string connection, string reason);

    [LoggerMessage(5102, LogLevel.Debug, "Route {Route}: a message of ZeroMQ peer {Remote} got no answer ({Code})")]
    public static partial void Unanswered(this ILogger logger, Exception? exception, string route, string remote, string code);

    [LoggerMessage(5103, LogLevel.Error, "Route {Route}: a message of ZeroMQ peer {Remote} failed")]
    public static partial void Failed(this ILogger logger, Exception exception, string route, string remote);
}
