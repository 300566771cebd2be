using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Backends.Calling;

/// <summary>Moves the streamed body of one call into its frame.</summary>
internal static class UploadPump
{
    /// <summary>Sends the whole body; the peer's pace is the client's pace.</summary>
    /// <param name="stalled">A peer that takes nothing for so long has timed out; a slow client is the web server's to judge.</param>
    /// <exception cref="BackendException">400 when the body ends early, 504 when the peer takes nothing.</exception>
    /// <exception cref="ZmtpException">The connection is gone.</exception>
    public static async ValueTask RunAsync(ICall call, FrameStream stream, string backend, TimeSpan stalled,
        CancellationToken cancellationToken)
    {
        using var stall = new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stall.Token, cancellationToken);
        while (stream.Left > 0)
        {
            var read = await call.StreamedBody.ReadAsync(cancellationToken);
            var buffer = read.Buffer.Length > stream.Left ? read.Buffer.Slice(0, stream.Left) : read.Buffer;
            try
            {
                stall.CancelAfter(stalled);
                foreach (var segment in buffer) await stream.WriteAsync(segment, either.Token);
                stall.CancelAfter(Timeout.InfiniteTimeSpan);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new BackendTimeoutException(backend, stalled);
            }
            finally
            {
                // Also when the frame is given up: the web server reads the rest of the body, and a read that was not ended is in its way.
                call.StreamedBody.AdvanceTo(buffer.End);
            }

            if (read.IsCompleted && stream.Left > 0 && buffer.IsEmpty)
            {
                throw new BackendException(
                    400, "request-body-truncated", $"The request's body ended {stream.Left} bytes before its Content-Length.");
            }
        }
    }
}
