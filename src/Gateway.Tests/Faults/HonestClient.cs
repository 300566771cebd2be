using System.Diagnostics;

namespace Gateway.Tests.Faults;

/// <summary>A well-behaved client that calls all the time while something bad goes on beside it.</summary>
internal sealed class HonestClient : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _calling;
    private int _calls;

    /// <param name="call">One call; throws when it does not get what it must.</param>
    public HonestClient(Func<Task> call) => _calling = Task.Run(() => CallAsync(call));

    public TimeSpan Slowest { get; private set; }

    /// <summary>
    /// Ends it. Fails when a call failed or took far longer than calls take; CI machines are noisy, so ratios are left to benchmarks.
    /// </summary>
    public async Task<string> AssertServedAsync()
    {
        await _stopping.CancelAsync();
        await _calling;
        Assert.NotEqual(0, _calls);
        Assert.InRange(Slowest.TotalSeconds, 0, 5);
        return $"honest client: {_calls} calls, 0 errors, slowest {Slowest.TotalMilliseconds:0} ms";
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        // What it threw was thrown by AssertServedAsync, or the test has failed before.
        await _calling.ContinueWith(static _ => { }, TaskScheduler.Default);
        _stopping.Dispose();
    }

    private async Task CallAsync(Func<Task> call)
    {
        do
        {
            var watch = Stopwatch.StartNew();
            await call();
            if (watch.Elapsed > Slowest) Slowest = watch.Elapsed;
            _calls++;
        }
        while (!_stopping.IsCancellationRequested);
    }
}
