namespace Gateway.Backends;

/// <summary>A configured socket as health, routing and the console see it. The same object is also its port: <see cref="ICaller"/>, <see cref="IPublisher"/> or <see cref="IMessageSource"/>.</summary>
internal interface IBackend
{
    /// <summary>Name from the configuration.</summary>
    string Name { get; }

    /// <summary>Role of the gateway, upper case: REQ, DEALER, CLIENT, PUB, XPUB, RADIO, PUSH, SCATTER, SUB, XSUB, PULL, GATHER or DISH.</summary>
    string Socket { get; }

    /// <summary>State of every endpoint, and of every peer that connected to a bound one.</summary>
    IReadOnlyList<EndpointStatus> Endpoints { get; }

    /// <summary>Whether a message could be sent or may arrive now: at least one peer is ready (for PUB: bound or connected).</summary>
    bool IsReady { get; }

    /// <summary>Why the backend is not ready, in words a person can act on; null when it is.</summary>
    string? WhyNotReady { get; }

    /// <summary>What a person should know of a backend that is ready, such as that nothing has arrived and why; null for nothing.</summary>
    string? Notice => null;
}

/// <summary>State of one endpoint of a backend.</summary>
/// <param name="Endpoint">As configured; the peer's address for a peer of a bound endpoint.</param>
/// <param name="Role"><c>connect</c>, <c>bind</c> or <c>accepted</c>.</param>
/// <param name="State"><c>connecting</c>, <c>handshaking</c>, <c>ready</c>, <c>not answering</c>, <c>listening</c>, <c>backing off</c>,
/// <c>refused</c> or <c>closed</c>.</param>
/// <param name="LastError">What went wrong last, or null.</param>
/// <param name="Since">Since when the state holds.</param>
/// <param name="MessagesIn">Messages received since the start of the endpoint.</param>
/// <param name="MessagesOut">Messages sent.</param>
/// <param name="BytesIn">Bytes received, framing included.</param>
/// <param name="BytesOut">Bytes sent, framing included.</param>
internal sealed record EndpointStatus(
    string Endpoint, string Role, string State, string? LastError, DateTimeOffset Since,
    long MessagesIn, long MessagesOut, long BytesIn, long BytesOut);
