namespace Gateway.WebSockets;

/// <summary>What a frame is (RFC 6455, 5.2). 3 to 7 and 11 to 15 are reserved and refused.</summary>
internal enum WebSocketOpcode : byte
{
    /// <summary>A further fragment of the message that was begun by a text or binary frame.</summary>
    Continuation = 0,

    /// <summary>A text message, or its first fragment.</summary>
    Text = 1,

    /// <summary>A binary message, or its first fragment.</summary>
    Binary = 2,

    /// <summary>The last frame of its direction.</summary>
    Close = 8,

    /// <summary>Asks for a pong with the same payload.</summary>
    Ping = 9,

    /// <summary>Answers a ping, or says unasked that the sender is alive.</summary>
    Pong = 10,
}
