namespace Zmtp.Sockets;

/// <summary>Wakes whoever waits for a peer to come or to have room.</summary>
internal sealed class ChangeSignal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _closed;

    /// <summary>Completes at the next change. Taken before looking, so that no change is missed in between.</summary>
    /// <exception cref="ObjectDisposedException">The socket was closed: no change will come.</exception>
    public Task Next()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(ZmtpSocket));
            return _changed.Task;
        }
    }

    /// <summary>Tries until it succeeds, again at each change.</summary>
    /// <exception cref="TimeoutException">It did not within the send timeout.</exception>
    public async ValueTask UntilAsync<TState>(TState state, Func<TState, bool> tried, ZmtpOptions options, CancellationToken cancellationToken)
    {
        using var timeout = options.SendTimeout == Timeout.InfiniteTimeSpan ? new CancellationTokenSource() : new CancellationTokenSource(options.SendTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        while (true)
        {
            var changed = Next();
            if (tried(state)) return;
            try
            {
                await changed.WaitAsync(either.Token);
            }
            catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"The peer took no message within {options.SendTimeout}, which is SendTimeout.", e);
            }
        }
    }

    public void Changed() => Wake(closing: false);

    public void Close() => Wake(closing: true);

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
