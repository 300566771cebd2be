using Zmtp.Transports;

namespace Zmtp.Sockets;

/// <summary>A streamed frame on a byte connection: its bytes go from the caller's memory to the system with no copy in between.</summary>
internal sealed class WireFrameStream : FrameStream
{
    private readonly Outbox _outbox;
    private readonly Link _link;
    private readonly LinkPeer _peer;
    private bool _begun;
    private bool _ended;

    public WireFrameStream(Outbox outbox, Link link, LinkPeer peer, long length)
    {
        (_outbox, _link, _peer) = (outbox, link, peer);
        Left = length;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.Length > Left) throw new ArgumentException($"The frame has {Left} bytes left; {bytes.Length} were written.", nameof(bytes));
        _peer.IsTakingFrame = true;
        if (!_begun)
        {
            // What was queued before, and the frame's header, go first.
            await _outbox.DrainedAsync().WaitAsync(cancellationToken);
            _begun = true;
        }

        try
        {
            while (!bytes.IsEmpty)
            {
                var sending = _link.SendAsync(bytes);
                // A peer that does not read is waited for until the caller gives up; then the connection goes, and with it the send.
                int count;
                if (sending.IsCompleted)
                {
                    count = await sending;
                }
                else
                {
                    using var abort = cancellationToken.UnsafeRegister(static peer => ((LinkPeer)peer!).Abort(new OperationCanceledException()), _peer);
                    count = await sending;
                }

                _peer.CountOut(count);
                bytes = bytes[count..];
                Left -= count;
            }
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ZmtpException($"The connection to {_peer.Remote} ended inside a streamed frame.", e);
        }
        finally
        {
            _peer.IsTakingFrame = false;
        }
    }

    public override ValueTask DisposeAsync()
    {
        if (_ended) return default;
        _ended = true;
        if (Left > 0) _peer.Abort(new ZmtpAbandonedException($"A streamed frame was given up with {Left} bytes left."));
        else _outbox.EndStream();
        return default;
    }
}
