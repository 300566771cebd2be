namespace Zmtp.Sockets;

/// <summary>The last frame of a message, written while its bytes arrive from elsewhere.</summary>
public abstract class FrameStream : IAsyncDisposable
{
    /// <summary>Bytes that are still to be written.</summary>
    public long Left { get; protected set; }

    /// <summary>Sends bytes; completes when the system has taken them, so the peer's pace is the writer's pace.</summary>
    /// <exception cref="ArgumentException">More than <see cref="Left"/> bytes.</exception>
    /// <exception cref="ZmtpException">The connection is gone.</exception>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Ends the stream: the peer is free for other messages. With bytes left the connection is closed, for the peer waits for them.</summary>
    public abstract ValueTask DisposeAsync();
}
