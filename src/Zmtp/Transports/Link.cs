namespace Zmtp.Transports;

/// <summary>A duplex stream of bytes to one peer: what every byte transport becomes. One reader and one writer at a time.</summary>
public abstract class Link : IAsyncDisposable
{
    /// <summary>The peer's address, for logs and health.</summary>
    public abstract string Remote { get; }

    /// <summary>The peer's address as an authenticator is told it: an IP address without port; of an ipc peer <c>localhost:uid:gid:pid</c> or <c>localhost</c>.</summary>
    public virtual string Address => Remote.LastIndexOf(':') is > 0 and var colon && !Remote.Contains("://", StringComparison.Ordinal) ? Remote[..colon].Trim('[', ']') : Remote;

    /// <summary>Receives at least one byte; 0 at the end of the stream.</summary>
    public abstract ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Sends at least one byte; completes synchronously while the system takes the bytes.</summary>
    /// <returns>Bytes sent; may be fewer than given.</returns>
    public abstract ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer);

    /// <summary>Does what comes before the first byte of the session: nothing, or TLS and the WebSocket upgrade.</summary>
    /// <param name="signals">Told of what the transport sees and the session does not.</param>
    internal virtual ValueTask<SessionForm> OpenAsync(ILinkSignals signals, CancellationToken cancellationToken) => new(SessionForm.Zmtp);

    /// <summary>Ends the connection in the transport's own words, where it has some, and releases it. For the reader, after its last receive.</summary>
    /// <param name="reason">Why, or null for an orderly end.</param>
    internal virtual ValueTask CloseAsync(Exception? reason) => DisposeAsync();

    /// <summary>Ends both directions at once; pending operations fail. May be called from any thread, more than once.</summary>
    public abstract void Abort();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
