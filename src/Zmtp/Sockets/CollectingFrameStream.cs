namespace Zmtp.Sockets;

/// <summary>Collects a streamed frame and sends the message when it is complete: where frames cannot be sent in pieces (inproc, CURVE).</summary>
internal sealed class CollectingFrameStream : FrameStream
{
    private readonly Peer _peer;
    private readonly Message _message;
    private bool _ended;

    private CollectingFrameStream(Peer peer, Message message, long length)
    {
        (_peer, _message) = (peer, message);
        Left = length;
    }

    /// <exception cref="ZmtpException">The frame is larger than what is collected.</exception>
    public static CollectingFrameStream Begin<TState>(Peer peer, TState state, Action<TState, IFrameWriter> write, long length, long maxBytes)
    {
        if (length > maxBytes) throw new ZmtpException($"A frame of {length} bytes is too large for a connection that sends frames whole; the limit is {maxBytes}.");
        var message = Message.Create();
        try
        {
            write(state, message);
        }
        catch
        {
            message.Dispose();
            throw;
        }

        return new CollectingFrameStream(peer, message, length);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.Length > Left) throw new ArgumentException($"The frame has {Left} bytes left; {bytes.Length} were written.", nameof(bytes));
        cancellationToken.ThrowIfCancellationRequested();
        _message.AppendBytes(bytes.Span);
        Left -= bytes.Length;
        return default;
    }

    public override ValueTask DisposeAsync()
    {
        if (_ended) return default;
        _ended = true;
        using (_message)
        {
            if (Left > 0) return default;
            _message.EndFrame();
            if (!_peer.TrySend(_message)) _peer.Abort(new ZmtpException("A collected frame found no room; the connection cannot keep its order."));
            return default;
        }
    }
}
