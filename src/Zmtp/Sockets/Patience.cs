namespace Zmtp.Sockets;

/// <summary>Waits that an option bounds.</summary>
internal static class Patience
{
    /// <summary>Sends again whenever something has changed, until the message is taken or the send timeout is over.</summary>
    /// <param name="signal">Tells of changes.</param>
    /// <param name="trySend">Whether the message was taken.</param>
    /// <param name="who">Who did not take it, for the message of the timeout.</param>
    /// <exception cref="TimeoutException">Nobody took it within the send timeout.</exception>
    public static async ValueTask<T> SendAsync<T>(ZmtpOptions options, ChangeSignal signal, Func<T?> trySend, string who, CancellationToken cancellationToken)
        where T : class
    {
        var patience = options.SendTimeout;
        using var timeout = patience == Timeout.InfiniteTimeSpan ? null : new CancellationTokenSource(patience, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout?.Token ?? CancellationToken.None, cancellationToken);
        try
        {
            while (true)
            {
                // Taken before looking, so that a change in between is not missed.
                var changed = signal.Next();
                if (trySend() is { } taken) return taken;
                await changed.WaitAsync(either.Token);
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"{who} took the message within {patience}, which is SendTimeout.", e);
        }
    }
}
