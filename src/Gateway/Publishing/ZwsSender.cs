using Gateway.Backends;
using Gateway.Zws;
using Zmtp;

namespace Gateway.Publishing;

/// <summary>A ZeroMQ PUSH on a push route, or PUB on a publish route, over WebSocket: its messages go on as they are, in order, one at a time.</summary>
internal sealed class ZwsSender(string route, IPublisher publisher, bool subscribes, long maxMessageBytes, ZwsServices services) : ZwsPeer(maxMessageBytes)
{
    // Between two attempts where the backend itself does not wait.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _gone = new();
    private Task _sending = Task.CompletedTask;

    /// <inheritdoc/>
    public override ValueTask WhenReadyAsync(CancellationToken stopping) => new(_sending.WaitAsync(stopping));

    /// <inheritdoc/>
    public override void Closed(Exception? reason)
    {
        base.Closed(reason);
        _gone.Cancel();
    }

    /// <inheritdoc/>
    public override Task EndedAsync() => _sending;

    /// <inheritdoc/>
    protected override void Ready()
    {
        // A PUB sends what its peers have subscribed to.
        if (subscribes) Peer.SendSubscription([], subscribe: true);
    }

    /// <inheritdoc/>
    protected override bool Take(Message message)
    {
        services.Metrics.Received(route);
        _sending = SendOnAsync(message);
        return _sending.IsCompleted;
    }

    /// <summary>While the backend is full or away the peer is not read: its own high-water mark fills, as over TCP.</summary>
    private async Task SendOnAsync(Message message)
    {
        using (message)
        {
            try
            {
                while (!await TrySendAsync(message)) await Task.Delay(Pause, services.Time, _gone.Token);
            }
            catch (OperationCanceledException)
            {
                services.Metrics.Unanswered(route, "client-gone");
            }
#pragma warning disable CA1031 // The top of a message: whatever it was is logged, and the next one is taken.
            catch (Exception e)
#pragma warning restore CA1031
            {
                services.Metrics.Unanswered(route, e.GetType().Name);
                services.Logger.Failed(e, route, Peer.Remote);
            }
        }
    }

    private async ValueTask<bool> TrySendAsync(Message message)
    {
        try
        {
            await publisher.SendAsync(message, static (m, writer) => m.WriteTo(writer), _gone.Token);
            return true;
        }
        catch (BackendException e) when (e.Status == StatusCodes.Status503ServiceUnavailable)
        {
            services.Logger.Unanswered(e, route, Peer.Remote, e.Code);
            return false;
        }
    }
}
