namespace Zmtp;

/// <summary>Something that happened to a connection or an endpoint (libzmq: socket monitor).</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Endpoint">The endpoint as configured.</param>
/// <param name="Remote">The peer's address; empty before there is one.</param>
/// <param name="Error">Why, for failures.</param>
/// <param name="Delay">With Retrying: time until the next attempt.</param>
public readonly record struct SocketEvent(SocketEventKind Kind, string Endpoint, string Remote, Exception? Error, TimeSpan Delay)
{
    /// <summary>Why, in one stable word for metrics: the rule of the protocol, the system's error or the exception's type; empty when nothing failed.</summary>
    public string Reason => Error switch
    {
        null => "",
        ZmtpProtocolException protocol => protocol.Error.ToString(),
        System.Net.Sockets.SocketException socket => socket.SocketErrorCode.ToString(),
        _ => Error.GetType().Name,
    };
}

/// <summary>Kinds of <see cref="SocketEvent"/>.</summary>
public enum SocketEventKind
{
    /// <summary>A listener is bound.</summary>
    Listening,

    /// <summary>An endpoint cannot be bound.</summary>
    BindFailed,

    /// <summary>An attempt to connect began (libzmq: connect delayed).</summary>
    Connecting,

    /// <summary>A listener accepted a connection; its handshake begins.</summary>
    Accepted,

    /// <summary>A connection was made; its handshake begins.</summary>
    Connected,

    /// <summary>The handshake is complete; messages flow.</summary>
    Ready,

    /// <summary>The handshake failed.</summary>
    HandshakeFailed,

    /// <summary>A ready connection ended.</summary>
    Disconnected,

    /// <summary>The socket did not take a peer: its identity is in use, or the one peer that it takes is there.</summary>
    PeerRefused,

    /// <summary>An attempt to connect failed or a connection ended; the next attempt comes after the delay.</summary>
    Retrying,

    /// <summary>Accepting failed or a connection was refused because of a limit.</summary>
    AcceptFailed,

    /// <summary>An attempt to connect failed or a connection ended, and an option says that no other attempt comes.</summary>
    Stopped,

    /// <summary>We took the endpoint out of use.</summary>
    Closed,

    /// <summary>The callback for events failed; the error says how. Told to monitors.</summary>
    CallbackFailed,
}
