using Gateway.WebSockets;

namespace Gateway.Streams;

/// <summary>Log messages of streams.</summary>
internal static partial class StreamLog
{
    [LoggerMessage(4004, LogLevel.Error, "The deadlines of a subscriber failed; its connection is closed")]
    public static partial void TickFailed(this ILogger logger, Exception exception);

    [LoggerMessage(4001, LogLevel.Error, "A sender failed in one of its items and goes on with the next")]
    public static partial void SenderFailed(this ILogger logger, Exception exception);

    [LoggerMessage(4003, LogLevel.Debug, "Route {Route}: ZeroMQ peer {Connection} ended: {Reason}")]
    public static partial void PeerEnded(this ILogger logger, string route, string connection, string reason);

    [LoggerMessage(4002, LogLevel.Debug, "Route {Route}: subscriber {Connection} ended ({Kind}, {Code})")]
    public static partial void SubscriberEnded(this ILogger logger, string route, string connection, WebSocketEndKind kind, int code);
}
