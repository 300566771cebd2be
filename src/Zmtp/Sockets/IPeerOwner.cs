namespace Zmtp.Sockets;

/// <summary>A socket, as its connections see it. Calls come from read loops and must not block.</summary>
public interface IPeerOwner
{
    /// <summary>A handshake is complete. Messages may be sent from now on; what the peer sends goes to the sink that is returned.</summary>
    /// <returns>The peer's sink, or null to refuse the peer and close its connection.</returns>
    IFrameSink? PeerReady(Peer peer);

    /// <summary>A peer that refused a message has room again.</summary>
    void PeerWritable(Peer peer);

    /// <summary>A peer that was ready is gone; its sink was told before.</summary>
    void PeerGone(Peer peer);

    /// <summary>A subscriber subscribed or took a subscription back. Its topic's length was checked.</summary>
    /// <returns>False when the peer has too many subscriptions; its connection closes.</returns>
    bool PeerSubscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe);
}
