namespace Gateway.WebSockets;

/// <summary>What a <see cref="WebSocketReader"/> delivers to. Called from the read loop, one call at a time; awaiting is the backpressure.</summary>
internal interface IWebSocketReceiver
{
    /// <summary>A piece of a message, as it arrived: unmasked and, for text, valid UTF-8 so far. Not called under Discard and Refuse.</summary>
    /// <param name="opcode">Text or Binary, also for later fragments.</param>
    /// <param name="payload">Valid until the returned task completes. Empty only with the end of a message.</param>
    /// <param name="endOfMessage">Whether the message ends here.</param>
    /// <returns>None to go on; any other code ends the reading, and the owner sends it.</returns>
    ValueTask<WebSocketCloseCode> OnDataAsync(WebSocketOpcode opcode, ReadOnlyMemory<byte> payload, bool endOfMessage);

    /// <summary>A ping: answer with its payload. A writer that is busy keeps the newest only (RFC 6455, 5.5.3).</summary>
    /// <param name="payload">0 to 125 bytes, valid until the returned task completes.</param>
    ValueTask OnPingAsync(ReadOnlyMemory<byte> payload);

    /// <summary>A pong, asked for or not.</summary>
    void OnPong(ReadOnlySpan<byte> payload);

    /// <summary>Bytes arrived: the peer is alive, even in the middle of a frame, where it cannot answer a ping.</summary>
    void OnAlive();
}
