using System.Diagnostics.CodeAnalysis;

namespace Zmtp.Sockets;

/// <summary>The receiving half of a socket: a pipe per peer, read in turns, one whole message each.</summary>
internal sealed class FairQueue(ZmtpOptions options) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<InPipe> _turns = new();
    // One permit a message, so that each waiting receiver gets its own and continues on the pool, not in a read loop.
    private readonly SemaphoreSlim _messages = new(0);
    private readonly CancellationTokenSource _closed = new();

    public ZmtpOptions Options { get; } = options;

    public async ValueTask<(Message Message, Peer Peer)> ReceiveAsync(CancellationToken cancellationToken)
    {
#pragma warning disable VSTHRD103 // A wait of no time does not block.
        if (!_messages.Wait(0, CancellationToken.None)) await WaitAsync(cancellationToken);
#pragma warning restore VSTHRD103
        return Take();
    }

    public bool TryReceive([NotNullWhen(true)] out Message? message, [NotNullWhen(true)] out Peer? peer)
    {
        (message, peer) = (null, null);
        if (!_messages.Wait(0, CancellationToken.None)) return false;
        (message, peer) = Take();
        return true;
    }

    /// <summary>Called by a pipe with a message that it has queued.</summary>
    public void Queued(InPipe pipe, bool wasEmpty)
    {
        if (wasEmpty)
        {
            lock (_gate) _turns.Enqueue(pipe);
        }

        _messages.Release();
    }

    public void Dispose()
    {
        _closed.Cancel();
        while (TryReceive(out var message, out _)) message.Dispose();
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        var patience = Options.ReceiveTimeout;
        using var timeout = patience == Timeout.InfiniteTimeSpan ? null : new CancellationTokenSource(patience, Options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closed.Token, timeout?.Token ?? CancellationToken.None);
        try
        {
            await _messages.WaitAsync(either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            ObjectDisposedException.ThrowIf(_closed.IsCancellationRequested, typeof(ZmtpSocket));
            throw new TimeoutException($"No message came within {patience}, which is ReceiveTimeout.", e);
        }
    }

    private (Message Message, Peer Peer) Take()
    {
        // One step: a pipe that has more must be back in its turn before another receiver with a permit looks for it.
        lock (_gate)
        {
            var pipe = _turns.Dequeue();
            var message = pipe.Take(out var hasMore);
            if (hasMore) _turns.Enqueue(pipe);
            message.Peer = pipe.Peer;
            return (message, pipe.Peer);
        }
    }
}
