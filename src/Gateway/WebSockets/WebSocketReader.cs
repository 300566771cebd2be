using System.Buffers;
using System.Text;

namespace Gateway.WebSockets;

/// <summary>Reads a WebSocket connection and delivers its messages. Fails by value: nothing that the peer or the network does throws.</summary>
/// <remarks>
/// An idle reader waits in a zero-byte read and holds no buffer; a buffer is rented when bytes are there and given back before the next wait.
/// Payload is delivered in the pieces in which it arrived, so a message costs no memory here, whatever its length.
/// </remarks>
internal sealed class WebSocketReader(Stream stream, WebSocketLimits limits)
{
    // Most clients send little; a buffer that was filled is followed by a larger one.
    private const int SmallBuffer = 4 * 1024;
    private const int LargeBuffer = 64 * 1024;

    private readonly WebSocketFrameParser _parser = new(limits);

    /// <summary>Reads until the peer closes, fails or is lost, the receiver ends it, or the token is cancelled.</summary>
    /// <remarks>After Cancelled it may be called again and goes on where it was; after any other end not.</remarks>
    public async Task<WebSocketEnd> RunAsync(IWebSocketReceiver receiver, CancellationToken cancellationToken)
    {
        // What a receiver throws is its owner's: only the stream's own failures become an end.
        var isDelivering = false;
        try
        {
            var filled = false;
            while (true)
            {
                if (!filled) await WaitForDataAsync(cancellationToken);
                var buffer = ArrayPool<byte>.Shared.Rent(filled ? LargeBuffer : SmallBuffer);
                try
                {
                    var read = await stream.ReadAsync(buffer, cancellationToken);
                    if (read == 0) return new WebSocketEnd(WebSocketEndKind.Lost);
                    filled = read == buffer.Length;
                    isDelivering = true;
                    receiver.OnAlive();
                    if (await DeliverAsync(buffer.AsMemory(0, read), receiver) is { } end) return end;
                    isDelivering = false;
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }
        }
        catch (OperationCanceledException) when (!isDelivering && cancellationToken.IsCancellationRequested)
        {
            return new WebSocketEnd(WebSocketEndKind.Cancelled);
        }
        catch (Exception broken) when (!isDelivering && broken is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Reset by the peer, or aborted by our own side (a write deadline, a lost ping).
            return new WebSocketEnd(WebSocketEndKind.Lost);
        }
    }

    /// <summary>
    /// After a close was sent to a peer that may still be sending: reads and drops what comes until the peer ends the connection, at most
    /// <paramref name="maxBytes"/>. Closing a socket with unread bytes would reset it, and the peer could lose the close frame.
    /// </summary>
    /// <param name="cancellationToken">Bounds the time; a second is plenty.</param>
    public async Task DrainAsync(long maxBytes, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(SmallBuffer);
        try
        {
            while (maxBytes > 0)
            {
                var read = await stream.ReadAsync(buffer, cancellationToken);
                if (read == 0) return;
                maxBytes -= read;
            }
        }
        catch (Exception broken) when (broken is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The time is over or the peer is gone: either way there is nothing left to wait for.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // A zero-byte read completes when bytes, or the end, can be read; its result is always 0 and says nothing.
#pragma warning disable CA2022, MA0060 // Nothing is read here.
    private ValueTask<int> WaitForDataAsync(CancellationToken cancellationToken) => stream.ReadAsync(Memory<byte>.Empty, cancellationToken);
#pragma warning restore CA2022, MA0060

    private async ValueTask<WebSocketEnd?> DeliverAsync(Memory<byte> input, IWebSocketReceiver receiver)
    {
        while (true)
        {
            var step = _parser.Next(input.Span);
            switch (step.Kind)
            {
                case WebSocketStepKind.NeedMoreData:
                    return null;
                case WebSocketStepKind.Data:
                    var code = await receiver.OnDataAsync(step.Opcode, input.Slice(step.PayloadStart, step.PayloadLength), step.EndOfMessage);
                    if (code != WebSocketCloseCode.None) return new WebSocketEnd(WebSocketEndKind.Refused, code);
                    break;
                case WebSocketStepKind.Ping:
                    await receiver.OnPingAsync(_parser.ControlPayload);
                    break;
                case WebSocketStepKind.Pong:
                    receiver.OnPong(_parser.ControlPayload.Span);
                    break;
                case WebSocketStepKind.Close:
                    var reason = Encoding.UTF8.GetString(_parser.ControlPayload.Span);
                    return new WebSocketEnd(WebSocketEndKind.PeerClosed, _parser.CloseCode, PeerReason: reason);
                default:
                    return new WebSocketEnd(WebSocketEndKind.Failed, step.Fault.Code(), step.Fault.Reason(), step.Fault);
            }

            input = input[step.Consumed..];
        }
    }
}
