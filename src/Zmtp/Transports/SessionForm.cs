namespace Zmtp.Transports;

/// <summary>How a connection's session begins and what its transport does for it.</summary>
internal enum SessionForm
{
    /// <summary>ZMTP 3.1: a greeting each way, then the mechanism.</summary>
    Zmtp,

    /// <summary>ZWS 2.0 with a mechanism: no greeting, for the subprotocol names the mechanism; subscriptions are messages; heartbeats are the transport's own.</summary>
    WebSocket,

    /// <summary>Bare ZWS 2.0: no handshake, the first message each way is the routing id (45/ZWS, "ZWS2.0 without a mechanism").</summary>
    BareWebSocket,
}

/// <summary>What a transport with frames of its own tells the session. Called from the reading side.</summary>
internal interface ILinkSignals
{
    /// <summary>Bytes arrived, perhaps none that the session will see.</summary>
    void LinkAlive();

    /// <summary>The peer asks for a sign of life: the session sends a PONG command in its turn, which the link translates.</summary>
    void LinkPinged();
}
