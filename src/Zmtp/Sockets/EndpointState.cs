namespace Zmtp.Sockets;

/// <summary>What an endpoint, or a peer of a bound one, is doing.</summary>
/// <param name="Endpoint">The endpoint; the peer's address for an accepted peer.</param>
/// <param name="Role">How it came about.</param>
/// <param name="Phase">What it does now.</param>
/// <param name="LastError">What went wrong last, or null.</param>
/// <param name="Since">When the phase began.</param>
/// <param name="Peer">The peer, while ready.</param>
public sealed record EndpointState(string Endpoint, EndpointRole Role, EndpointPhase Phase, string? LastError, DateTimeOffset Since, Peer? Peer);

/// <summary>How an endpoint came about.</summary>
public enum EndpointRole
{
    /// <summary>We connect to it.</summary>
    Connect,

    /// <summary>We listen on it.</summary>
    Bind,

    /// <summary>A peer that connected to us.</summary>
    Accepted,
}

/// <summary>What an endpoint is doing.</summary>
public enum EndpointPhase
{
    /// <summary>A connection is being made.</summary>
    Connecting,

    /// <summary>Connected; greeting and handshake are under way.</summary>
    Handshaking,

    /// <summary>Messages flow.</summary>
    Ready,

    /// <summary>Bound.</summary>
    Listening,

    /// <summary>The last attempt failed; the next one comes by itself.</summary>
    BackingOff,

    /// <summary>The other side refused us or speaks something else; tried again at the longest wait.</summary>
    Refused,

    /// <summary>Not tried again, as an option says.</summary>
    Stopped,

    /// <summary>Taken out of use.</summary>
    Closed,
}
