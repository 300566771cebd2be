namespace Zmtp.Sockets;

/// <summary>The peer at the other end of a byte connection: what its connector, its listener and its outbox need to know of it.</summary>
internal abstract class LinkPeer : Peer
{
    /// <summary>Whether messages could flow: for ZMTP, whether the handshake was completed.</summary>
    public bool WasReady { get; protected set; }

    /// <summary>Called once, when the peer is ready, before the owner hears of it.</summary>
    public Action? Ready { get; init; }

    /// <summary>What the socket takes for the peer, when that is a queue in front of it.</summary>
    public QueuedPeer? Queue { get; init; }

    /// <summary>Whether the peer speaks ZMTP 3.0, where subscriptions are messages.</summary>
    internal virtual bool IsMinorZero => false;

    /// <summary>Whether bytes of a streamed frame are there that the peer has not taken.</summary>
    internal bool IsTakingFrame { get; set; }

    /// <summary>Runs the connection to its end. Never throws.</summary>
    /// <returns>Why it ended; null when the peer closed between two messages.</returns>
    public abstract Task<Exception?> RunAsync(CancellationToken stopping);

    /// <summary>The outbox has room again after it had refused a message.</summary>
    internal abstract void RaiseWritable();
}
