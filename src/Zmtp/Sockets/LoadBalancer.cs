namespace Zmtp.Sockets;

/// <summary>The sending half of DEALER, PUSH and REQ: whole messages to one writable peer after the other, waiting while there is none.</summary>
internal sealed class LoadBalancer(ZmtpOptions options)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _next;
    private bool _closed;

    /// <summary>Sends to the next peer that takes the message. The message is released when it was taken.</summary>
    public Peer? TrySend(Peer[] peers, Message message)
    {
        var start = NextTurn();
        for (var i = 0; i < peers.Length; i++)
        {
            var peer = peers[(start + (uint)i) % (uint)peers.Length];
            if (!peer.TrySend(message)) continue;
            message.Dispose();
            return peer;
        }

        return null;
    }

    /// <summary>Queues a message at the next peer that takes it.</summary>
    public bool TryForward(Peer[] peers, in Parcel parcel, FlushBatch batch)
    {
        var start = NextTurn();
        for (var i = 0; i < peers.Length; i++)
        {
            if (peers[(start + (uint)i) % (uint)peers.Length].TryForward(parcel, batch)) return true;
        }

        return false;
    }

    /// <summary>Where in the list of peers the next message begins to look.</summary>
    public uint NextTurn() => (uint)Interlocked.Increment(ref _next);

    /// <summary>Sends to the next peer that takes the message, waiting while there is none. When it fails, the message is still the caller's.</summary>
    /// <exception cref="TimeoutException">None took it within the send timeout.</exception>
    public async ValueTask<Peer> SendAsync(Func<Peer[]> peers, Message message, CancellationToken cancellationToken)
    {
        var patience = options.SendTimeout;
        if (patience == Timeout.InfiniteTimeSpan) return await WaitAndSendAsync(peers, message, cancellationToken);
        using var timeout = new CancellationTokenSource(patience, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await WaitAndSendAsync(peers, message, either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"No peer took the message within {patience}, which is SendTimeout.", e);
        }
    }

    /// <summary>A peer came or has room again.</summary>
    public void Changed() => Wake(closing: false);

    /// <summary>The socket is closed: who waits for a peer waits in vain.</summary>
    public void Close() => Wake(closing: true);

    private async ValueTask<Peer> WaitAndSendAsync(Func<Peer[]> peers, Message message, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_closed, typeof(ZmtpSocket));
                changed = _changed.Task;
            }

            // Looked at after the task was taken: a change in between completes it.
            if (TrySend(peers(), message) is { } peer) return peer;
            await changed.WaitAsync(cancellationToken);
        }
    }

    private void Wake(bool closing)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _closed |= closing;
            (changed, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        changed.TrySetResult();
    }
}
