namespace Zmtp.Wire;

/// <summary>The rule of the protocol, or the limit, that a peer broke. Every one closes the connection.</summary>
public enum ProtocolError
{
    /// <summary>Nothing was broken.</summary>
    None,

    /// <summary>The first octets are not a ZMTP signature: another protocol (HTTP, TLS, a port scanner) speaks here.</summary>
    NotZmtp,

    /// <summary>The peer speaks ZMTP 1.0 or 2.0.</summary>
    UnsupportedVersion,

    /// <summary>The peer's security mechanism is not ours.</summary>
    MechanismMismatch,

    /// <summary>A reserved bit of a frame's flags is set.</summary>
    ReservedFlag,

    /// <summary>A command carries MORE.</summary>
    CommandWithMore,

    /// <summary>A frame, or the message that it belongs to, is larger than <c>MaxMessageSize</c>, or a length is 2^63 or more.</summary>
    FrameTooLarge,

    /// <summary>A message has more frames than <c>MaxMessageFrames</c>.</summary>
    TooManyFrames,

    /// <summary>A command is larger than its limit.</summary>
    CommandTooLarge,

    /// <summary>A command is empty, or its name or fields run past its end.</summary>
    MalformedCommand,

    /// <summary>A command or a message came at a point of the handshake where it may not.</summary>
    UnexpectedCommand,

    /// <summary>A property of READY runs past the end, has an empty or illegal name, or comes twice.</summary>
    MalformedMetadata,

    /// <summary>READY names no socket type, or one that is unknown.</summary>
    UnknownSocketType,

    /// <summary>The peer's socket type may not talk to ours.</summary>
    IncompatibleSocketType,

    /// <summary>An identity is longer than 255 bytes or begins with a zero.</summary>
    MalformedIdentity,

    /// <summary>A PING is shorter than its ttl, or its context is longer than 16 bytes.</summary>
    MalformedPing,

    /// <summary>A topic is longer than <c>MaxTopicLength</c>.</summary>
    TopicTooLong,

    /// <summary>A group is longer than 255 bytes (48/RADIO-DISH).</summary>
    GroupTooLong,

    /// <summary>A peer holds more subscriptions than <c>MaxSubscriptions</c>.</summary>
    TooManySubscriptions,

    /// <summary>The peer sends messages to a socket that takes none.</summary>
    UnexpectedMessage,

    /// <summary>The handshake was not complete within <c>HandshakeTimeout</c>.</summary>
    HandshakeTimeout,

    /// <summary>Nothing was received within the heartbeat's timeout.</summary>
    HeartbeatTimeout,

    /// <summary>The peer refused us with an ERROR command.</summary>
    RefusedByPeer,

    /// <summary>A connection to the own listening port came back to itself.</summary>
    SelfConnection,

    /// <summary>A REP-like peer returned a reply without the envelope of its request.</summary>
    MissingEnvelope,

    /// <summary>CURVE: a nonce was used before or goes backwards.</summary>
    ReplayedNonce,

    /// <summary>CURVE: a box does not open: a wrong key, or bytes that were changed on the way.</summary>
    BrokenBox,

    /// <summary>The authenticator refused the peer.</summary>
    Unauthorized,

    /// <summary>The connection was closed to make room for another: its listener had too many unfinished handshakes, and this one had been silent longest.</summary>
    TooManyHandshakes,

    /// <summary>Nobody decided about the peer: there is no authenticator or ZAP handler, it failed, or its answer was malformed.</summary>
    AuthenticatorFailed,

    /// <summary>ws, wss: the upgrade to WebSocket failed: the other side speaks no HTTP, refuses, or offers no ZWS subprotocol of ours.</summary>
    UpgradeFailed,

    /// <summary>ws, wss: a WebSocket frame breaks RFC 6455, or is none that ZWS 2.0 has.</summary>
    WebSocketViolation,
}
