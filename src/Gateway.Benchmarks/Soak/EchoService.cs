using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Benchmarks.Soak;

/// <summary>
/// A ROUTER that answers as each request says, and that dies without a word every few seconds, in the middle of whatever it was doing.
/// </summary>
/// <param name="open">Binds or connects each new life.</param>
internal sealed class EchoService(Action<RouterSocket> open, Random random)
{
    // Nothing of what is queued is sent: to its peers it looks killed.
    private readonly ZmtpOptions _options = new() { Linger = TimeSpan.Zero };

    /// <summary>Lives after the first.</summary>
    public int Restarts { get; private set; }

    /// <param name="restarting">Ends the restarts; the last life goes on.</param>
    /// <param name="stopping">Ends the service.</param>
    public async Task RunAsync(CancellationToken restarting, CancellationToken stopping)
    {
        while (true)
        {
            await using var router = new RouterSocket(_options);
            open(router);
            using var life = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            var answering = AnswerAsync(router, life.Token);
            await WaitAsync(TimeSpan.FromMilliseconds(random.Next(2000, 7000)), restarting);
            if (restarting.IsCancellationRequested) await WaitAsync(Timeout.InfiniteTimeSpan, stopping);
            await router.DisposeAsync();
            await life.CancelAsync();
            await answering;
            if (stopping.IsCancellationRequested) return;
            Restarts++;
            await WaitAsync(TimeSpan.FromMilliseconds(random.Next(0, 600)), stopping);
        }
    }

    private static async Task AnswerAsync(RouterSocket router, CancellationToken life)
    {
        List<Task> late = [];
        try
        {
            while (true)
            {
                using var request = await router.ReceiveAsync(life);
                var asked = SoakBody.Read(request[^1].Span);
                var reply = Message.Create();
                for (var i = 0; i < request.Count - 1; i++) reply.Add(request[i].Span);
                reply.Add(asked.Reply(request[^1].Span));
                if (asked.DelayMilliseconds == 0) router.Send(reply);
                else if (asked.DelayMilliseconds < 0) reply.Dispose();
                else late.Add(SendLateAsync(router, reply, asked.DelayMilliseconds, life));
                late.RemoveAll(static task => task.IsCompleted);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            await Task.WhenAll(late);
        }
    }

    private static async Task SendLateAsync(RouterSocket router, Message reply, int milliseconds, CancellationToken life)
    {
        await WaitAsync(TimeSpan.FromMilliseconds(milliseconds), life);
        if (life.IsCancellationRequested) reply.Dispose();
        else router.Send(reply);
    }

    private static Task WaitAsync(TimeSpan time, CancellationToken early) =>
        Task.Delay(time, early).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
}
