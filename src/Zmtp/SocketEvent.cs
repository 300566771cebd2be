namespace Zmtp;

/// <summary>Something that happened to a connection or an endpoint (libzmq: socket monitor).</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Endpoint">The endpoint as configured.</param>
/// <param name="Remote">The peer's address; empty before there is one.</param>
/// <param name="Error">Why, for failures.</param>
/// <param name="Delay">With Retrying: time until the next attempt.</param>
public readonly record struct SocketEvent(SocketEventKind Kind, string Endpoint, string Remote, Exception? Error, TimeSpan Delay);

/// <summary>Kinds of <see cref="SocketEvent"/>.</summary>
public enum SocketEventKind
{
    /// <summary>A listener is bound.</summary>
    Listening,

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

    /// <summary>An attempt to connect failed or a connection ended; the next attempt comes after the delay.</summary>
    Retrying,

    /// <summary>Accepting failed or a connection was refused because of a limit.</summary>
    AcceptFailed,
}
