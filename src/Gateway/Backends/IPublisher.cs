using Zmtp.Sockets;

namespace Gateway.Backends;

/// <summary>A PUB, XPUB, RADIO, PUSH or SCATTER backend.</summary>
internal interface IPublisher
{
    /// <summary>Sends one message: to every peer whose subscription matches (PUB, XPUB) or who joined its group (RADIO), or to one peer (PUSH, SCATTER).</summary>
    /// <param name="write">Writes the frames; may be called once for each peer, so it must be repeatable.</param>
    /// <returns>Number of peers the message was queued to. PUB: 0 when nobody wants it. PUSH, SCATTER: always 1.</returns>
    /// <exception cref="BackendException">400 <c>not-one-frame</c>, <c>bad-group</c> or 413 <c>datagram-too-large</c> where the socket does not take such a message. PUSH and SCATTER: 503 <c>backend-unavailable</c> (no peer) or <c>backend-overloaded</c> (all at the high-water mark) within ConnectWait.</exception>
    ValueTask<int> SendAsync<TState>(TState state, Action<TState, IFrameWriter> write, CancellationToken cancellationToken);
}
