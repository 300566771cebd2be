namespace Gateway.WebSockets;

/// <summary>How a reader ended, and what to send.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Code">Close code to send. PeerClosed: the peer's own (None: an empty close). Lost and Cancelled: None.</param>
/// <param name="Reason">Reason to send; empty in an answer to a close.</param>
/// <param name="Fault">With Failed: the rule.</param>
/// <param name="PeerReason">With PeerClosed: the peer's reason. It is text from outside: escape it in logs.</param>
internal readonly record struct WebSocketEnd(
    WebSocketEndKind Kind, WebSocketCloseCode Code = WebSocketCloseCode.None, string Reason = "",
    WebSocketFault Fault = WebSocketFault.None, string PeerReason = "")
{
    /// <summary>Whether a close frame is to be sent.</summary>
    public bool ShouldSendClose => Kind is WebSocketEndKind.PeerClosed or WebSocketEndKind.Failed or WebSocketEndKind.Refused;
}

/// <summary>Why a reader ended.</summary>
internal enum WebSocketEndKind : byte
{
    /// <summary>The peer sent a close frame: answer with <see cref="WebSocketEnd.Code"/> unless a close was sent already, then close the connection.</summary>
    PeerClosed,

    /// <summary>The peer broke a rule or a limit: send the close, then drain and close the connection.</summary>
    Failed,

    /// <summary>The receiver said which code to close with: send it, then drain and close the connection.</summary>
    Refused,

    /// <summary>The connection ended, or broke, without a close frame: nothing can be sent.</summary>
    Lost,

    /// <summary>The token was cancelled; what is sent is the owner's decision.</summary>
    Cancelled,
}
