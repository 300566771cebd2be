using System.Buffers;

namespace Gateway.WebSockets;

/// <summary>Writes messages and control frames of one server connection to its stream: for users who do not fan out.</summary>
/// <remarks>
/// One writer at a time: a second sender waits for the first, and whoever writes also writes the control frames that came meanwhile, between
/// frames. Nothing queues here except one pong, one ping and one close. A stalled write is ended from outside: the ticker sees it through the
/// liveness and aborts the connection, and the write then fails. Fails by value: false means the connection is closing or lost.
/// </remarks>
internal sealed class WebSocketOutput(Stream stream, WebSocketControlQueue control, WebSocketLiveness liveness) : IDisposable
{
    // Header and beginning of a payload go out together; the rest in pieces small enough that a slow but living peer keeps the deadline.
    private const int FirstWrite = (16 * 1024) - WebSocketFrames.MaxHeaderSize;
    private const int FurtherWrite = 64 * 1024;

    private readonly SemaphoreSlim _writer = new(1, 1);
    private bool _isOver; // Guarded by _writer: the close was written or the connection is lost.
    private bool _inMessage; // Guarded by _writer.

    /// <summary>Sends a message, or a fragment of one; only one sender may be inside a fragmented message.</summary>
    /// <param name="opcode">Text or Binary; later fragments become continuations by themselves.</param>
    /// <returns>False: the connection is closing or lost, and the message was not sent as a whole.</returns>
    public async ValueTask<bool> SendAsync(WebSocketOpcode opcode, ReadOnlyMemory<byte> payload, bool endOfMessage = true)
    {
        bool sent;
        await _writer.WaitAsync();
        try
        {
            sent = !_isOver && !control.IsClosing && await WriteFrameAsync(_inMessage ? WebSocketOpcode.Continuation : opcode, payload, endOfMessage);
            _inMessage = !endOfMessage;
        }
        finally
        {
            _writer.Release();
        }

        await FlushControlAsync();
        return sent;
    }

    /// <summary>Writes the control frames that wait, unless somebody is writing: then that one does it.</summary>
    public async ValueTask FlushControlAsync()
    {
        // Asked again after each release: what was offered while the writer was held has found it held.
        while (control.HasPending && await _writer.WaitAsync(TimeSpan.Zero))
        {
            try
            {
                await WriteControlAsync();
            }
            finally
            {
                _writer.Release();
            }
        }
    }

    /// <summary>Sends the close frame behind what is being written, and waits for that; only waits when one was offered already.</summary>
    public async ValueTask CloseAsync(WebSocketCloseCode code, string reason = "")
    {
        control.OfferClose(code, reason);
        // Who closes ends the connection next: whoever is writing must be done by then, or its frame would be cut off.
        await _writer.WaitAsync();
        try
        {
            await WriteControlAsync();
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Call it when nobody sends any more.</summary>
    public void Dispose() => _writer.Dispose();

    private async ValueTask<bool> WriteFrameAsync(WebSocketOpcode opcode, ReadOnlyMemory<byte> payload, bool fin)
    {
        var first = Math.Min(payload.Length, FirstWrite);
        var buffer = ArrayPool<byte>.Shared.Rent(WebSocketFrames.MaxHeaderSize + first);
        try
        {
            var header = WebSocketFrames.WriteHeader(buffer, opcode, payload.Length, fin);
            payload.Span[..first].CopyTo(buffer.AsSpan(header));
            if (!await WriteAsync(buffer.AsMemory(0, header + first))) return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        for (var rest = payload[first..]; rest.Length > 0;)
        {
            var piece = rest[..Math.Min(rest.Length, FurtherWrite)];
            if (!await WriteAsync(piece)) return false;
            rest = rest[piece.Length..];
        }

        return true;
    }

    private async ValueTask WriteControlAsync()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(WebSocketControlQueue.MaxTake);
        try
        {
            var length = control.Take(buffer, out var closes);
            if (length > 0 && !_isOver) await WriteAsync(buffer.AsMemory(0, length));
            _isOver |= closes;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        liveness.WriteBegins();
        try
        {
            await stream.WriteAsync(bytes);
            return true;
        }
        catch (Exception broken) when (broken is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Reset by the peer or aborted by the ticker; the reader ends as Lost, which is where it is reported.
            _isOver = true;
            return false;
        }
        finally
        {
            liveness.WriteEnds();
        }
    }
}
