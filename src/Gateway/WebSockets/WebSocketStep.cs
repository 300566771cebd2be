namespace Gateway.WebSockets;

/// <summary>One step of the parser.</summary>
/// <param name="Kind">What was found.</param>
/// <param name="Consumed">Bytes of the input that are done with; the next call begins behind them.</param>
/// <param name="Opcode">With Data: Text or Binary, also for continuations.</param>
/// <param name="PayloadStart">With Data: where the unmasked piece begins in the input.</param>
/// <param name="PayloadLength">With Data: its length; 0 only with the end of a message.</param>
/// <param name="EndOfMessage">With Data: whether the message ends with this piece.</param>
/// <param name="Fault">With Failed: the rule.</param>
internal readonly record struct WebSocketStep(
    WebSocketStepKind Kind, int Consumed, WebSocketOpcode Opcode = default, int PayloadStart = 0, int PayloadLength = 0,
    bool EndOfMessage = false, WebSocketFault Fault = WebSocketFault.None);

/// <summary>What the parser found next.</summary>
internal enum WebSocketStepKind : byte
{
    /// <summary>Nothing more in these bytes; all of them are consumed.</summary>
    NeedMoreData,

    /// <summary>A piece of a message's payload.</summary>
    Data,

    /// <summary>A whole ping; its payload is <see cref="WebSocketFrameParser.ControlPayload"/>.</summary>
    Ping,

    /// <summary>A whole pong; its payload is <see cref="WebSocketFrameParser.ControlPayload"/>.</summary>
    Pong,

    /// <summary>A whole, valid close. Whatever follows is ignored.</summary>
    Close,

    /// <summary>A rule was broken; every further call says the same.</summary>
    Failed,
}
