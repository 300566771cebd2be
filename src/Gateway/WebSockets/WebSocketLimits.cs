namespace Gateway.WebSockets;

/// <summary>What a reader takes from its peer.</summary>
/// <param name="MaxMessageBytes">Largest message; one more byte announced closes with 1009 before any of it is read.</param>
/// <param name="MaxFragments">Most frames of one message; one more closes with 1008.</param>
/// <param name="Data">What happens with text and binary messages.</param>
/// <param name="PeerMasks">True where the peer is a client, whose frames must be masked; false where it is a server.</param>
internal sealed record WebSocketLimits(
    long MaxMessageBytes = 1024 * 1024, int MaxFragments = 131_072, WebSocketDataPolicy Data = WebSocketDataPolicy.Deliver, bool PeerMasks = true);

/// <summary>What a reader does with text and binary messages.</summary>
internal enum WebSocketDataPolicy : byte
{
    /// <summary>They go to the receiver.</summary>
    Deliver,

    /// <summary>They are skipped, neither unmasked nor checked for UTF-8; the limits hold all the same.</summary>
    Discard,

    /// <summary>The first header of one closes the connection with 1003.</summary>
    Refuse,
}
