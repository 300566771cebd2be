namespace Gateway.WebSockets;

/// <summary>The rule that a peer's bytes broke.</summary>
internal enum WebSocketFault : byte
{
    /// <summary>None.</summary>
    None,

    /// <summary>RSV1, RSV2 or RSV3 is set; no extension was negotiated.</summary>
    ReservedBit,

    /// <summary>Opcode 3 to 7 or 11 to 15.</summary>
    ReservedOpcode,

    /// <summary>A client's frame without a mask.</summary>
    NotMasked,

    /// <summary>A server's frame with a mask.</summary>
    Masked,

    /// <summary>A close, ping or pong without FIN.</summary>
    FragmentedControl,

    /// <summary>A close, ping or pong with more than 125 bytes.</summary>
    LongControl,

    /// <summary>A length that fits a shorter form.</summary>
    LengthNotMinimal,

    /// <summary>A 64-bit length with the top bit set.</summary>
    LengthTopBit,

    /// <summary>A continuation where no message was begun.</summary>
    StrayContinuation,

    /// <summary>A text or binary frame inside a fragmented message.</summary>
    MessageInsideMessage,

    /// <summary>A close payload of one byte.</summary>
    CloseLength,

    /// <summary>A close code that must not be sent.</summary>
    CloseCode,

    /// <summary>A text message that is not UTF-8.</summary>
    TextNotUtf8,

    /// <summary>A close reason that is not UTF-8.</summary>
    ReasonNotUtf8,

    /// <summary>A message above the limit in bytes.</summary>
    MessageTooBig,

    /// <summary>A message above the limit in fragments.</summary>
    TooManyFragments,

    /// <summary>A data message where none is taken.</summary>
    DataRefused,
}

/// <summary>What is sent to a peer for its fault.</summary>
internal static class WebSocketFaults
{
    /// <summary>The close code for a fault.</summary>
    public static WebSocketCloseCode Code(this WebSocketFault fault) => fault switch
    {
        WebSocketFault.None => WebSocketCloseCode.None,
        WebSocketFault.TextNotUtf8 or WebSocketFault.ReasonNotUtf8 => WebSocketCloseCode.InvalidPayload,
        WebSocketFault.MessageTooBig => WebSocketCloseCode.MessageTooBig,
        WebSocketFault.TooManyFragments => WebSocketCloseCode.PolicyViolation,
        WebSocketFault.DataRefused => WebSocketCloseCode.UnsupportedData,
        _ => WebSocketCloseCode.ProtocolError,
    };

    /// <summary>The close reason for a fault: ASCII, at most 123 bytes, constant text.</summary>
    public static string Reason(this WebSocketFault fault) => fault switch
    {
        WebSocketFault.ReservedBit => "a reserved bit is set and no extension was negotiated",
        WebSocketFault.ReservedOpcode => "reserved opcode",
        WebSocketFault.NotMasked => "a client's frames must be masked",
        WebSocketFault.Masked => "a server's frames must not be masked",
        WebSocketFault.FragmentedControl => "a control frame must not be fragmented",
        WebSocketFault.LongControl => "a control frame has at most 125 bytes",
        WebSocketFault.LengthNotMinimal => "a length must have its shortest form",
        WebSocketFault.LengthTopBit => "a length must be below 2^63",
        WebSocketFault.StrayContinuation => "continuation without a message",
        WebSocketFault.MessageInsideMessage => "a new message inside a fragmented one",
        WebSocketFault.CloseLength => "a close frame's payload is empty or has at least 2 bytes",
        WebSocketFault.CloseCode => "this close code must not be sent",
        WebSocketFault.TextNotUtf8 => "a text message is not UTF-8",
        WebSocketFault.ReasonNotUtf8 => "a close reason is not UTF-8",
        WebSocketFault.MessageTooBig => "message above the limit",
        WebSocketFault.TooManyFragments => "too many fragments in one message",
        WebSocketFault.DataRefused => "this endpoint takes no messages",
        _ => "",
    };
}
