using Zmtp.Sockets;

namespace Gateway.Backends;

/// <summary>A PUB, XPUB or PUSH backend.</summary>
internal interface IPublisher
{
    /// <summary>Sends one message: to every peer whose subscription matches (PUB, XPUB), or to one peer (PUSH).</summary>
    /// <param name="write">Writes the frames; may be called once for each peer, so it must be repeatable.</param>
    /// <returns>Number of peers the message was queued to. PUB: 0 when nobody wants it. PUSH: always 1.</returns>
    /// <exception cref="BackendException">PUSH only: 503 <c>backend-unavailable</c> (no peer) or <c>backend-overloaded</c> (all at the high-water mark) within ConnectWait.</exception>
    ValueTask<int> SendAsync<TState>(TState state, Action<TState, IFrameWriter> write, CancellationToken cancellationToken);
}
