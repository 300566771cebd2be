namespace Gateway.WebSockets;

/// <summary>Close codes that Gateway sends, each with what the client should do in <c>docs/websockets.md</c>. A peer may send others.</summary>
internal enum WebSocketCloseCode : ushort
{
    /// <summary>No code: never on the wire. A close frame without a code has an empty payload.</summary>
    None = 0,

    /// <summary>The conversation is complete.</summary>
    Normal = 1000,

    /// <summary>The gateway is shutting down or the route was removed.</summary>
    GoingAway = 1001,

    /// <summary>The peer broke RFC 6455, or the subprotocol.</summary>
    ProtocolError = 1002,

    /// <summary>This endpoint takes no messages, or none of this type.</summary>
    UnsupportedData = 1003,

    /// <summary>A text message or a close reason is not UTF-8.</summary>
    InvalidPayload = 1007,

    /// <summary>A limit or a policy other than size.</summary>
    PolicyViolation = 1008,

    /// <summary>A message above the limit.</summary>
    MessageTooBig = 1009,

    /// <summary>The gateway, or what stands behind it, failed.</summary>
    InternalError = 1011,

    /// <summary>The gateway restarts.</summary>
    ServiceRestart = 1012,

    /// <summary>What stands behind the gateway is not ready.</summary>
    TryAgainLater = 1013,

    /// <summary>The subscriber did not keep up and its route's policy is Disconnect.</summary>
    SlowConsumer = 4008,
}

/// <summary>Which codes may stand in a close frame.</summary>
internal static class WebSocketCloseCodes
{
    /// <summary>Whether a peer may send <paramref name="code"/> (RFC 6455, 7.4, and IANA's registry): 1000-1003, 1007-1014 and 3000-4999.</summary>
    /// <remarks>1004 to 1006 and 1015 are for local use only; 1016 to 2999 are unassigned.</remarks>
    public static bool MayBeSent(int code) => code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);
}
