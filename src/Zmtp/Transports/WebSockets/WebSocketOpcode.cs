namespace Zmtp.Transports.WebSockets;

/// <summary>What a WebSocket frame is (RFC 6455, 5.2).</summary>
internal enum WebSocketOpcode : byte
{
    /// <summary>A further fragment of a message.</summary>
    Continuation = 0,

    /// <summary>A text message, which ZWS has none of.</summary>
    Text = 1,

    /// <summary>A binary message: one ZeroMQ frame.</summary>
    Binary = 2,

    /// <summary>The last frame of its direction.</summary>
    Close = 8,

    /// <summary>Asks for a pong.</summary>
    Ping = 9,

    /// <summary>Answers a ping.</summary>
    Pong = 10,
}
