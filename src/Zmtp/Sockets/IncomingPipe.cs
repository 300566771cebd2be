namespace Zmtp.Sockets;

/// <summary>Where one peer's messages go: into its socket's receive queue, or straight on to another socket.</summary>
internal abstract class IncomingPipe : IFrameSink
{
    /// <inheritdoc/>
    public abstract bool Accept(in Wire.FramePart part);

    /// <summary>Puts a message of our own making (a subscription, for XPUB) behind the peer's. The message is taken over.</summary>
    /// <returns>Whether there is room for another one.</returns>
    public abstract bool Enqueue(Message message);

    /// <inheritdoc/>
    public abstract ValueTask WhenReadyAsync(CancellationToken stopping);

    /// <inheritdoc/>
    public abstract void BatchEnd();

    /// <inheritdoc/>
    public abstract void Closed(Exception? reason);
}

/// <summary>Takes the place of a socket's receive queue: each peer's messages go to a pipe of its own, in the peer's read loop.</summary>
internal interface IPipeMaker
{
    /// <summary>Makes the pipe of a peer. Called under the socket's lock.</summary>
    /// <param name="peer">Whose messages they are.</param>
    /// <param name="prefix">A frame put in front of every message (ROUTER: the identity), or null.</param>
    /// <param name="filter">Keeps a message or drops it (SUB), or null.</param>
    IncomingPipe MakePipe(Peer peer, byte[]? prefix, Func<Message, bool>? filter);
}
