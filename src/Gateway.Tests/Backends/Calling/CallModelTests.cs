using System.Collections.Concurrent;
using Gateway.Backends;
using Gateway.Backends.Calling;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Zmtp;

namespace Gateway.Tests.Backends.Calling;

/// <summary>
/// Calls in every order that their parts can come in: requests, uploads, replies early, late, in parts, twice and from peers that die
/// inside them, deadlines, clients that leave or are slow, lanes that are lost at any moment, also between the steps of a hand-over. Each
/// reply names its request.
/// </summary>
public sealed class CallModelTests : ILaneConnections
{
    private const int Steps = 250_000;
    private const int MaxOpen = 60;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    private readonly ManualTimeProvider _time = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly Lock _gate = new();
    private readonly List<ModelPeer> _peers = [];
    private Random _random = new(0);
    private Random _inside = new(0);
    private Caller _caller = null!;
    private TaskCompletionSource? _opened;

    string? ILaneConnections.WhyNotReady => "the model has no lane just now.";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Every_reply_reaches_the_call_that_it_names_and_every_call_ends_once(int seed)
    {
        (_random, _inside) = (new Random(seed), new Random(seed + 1000));
        var options = new BackendOptions { Socket = "REQ", MaxConnections = 4, MaxInFlight = 1000,
            Retry = new RetryOptions { Attempts = 3 }, Circuit = new CircuitOptions { Failures = 0 } };
        var metrics = new BackendMetrics(new ServiceCollection().AddMetrics().BuildServiceProvider()
            .GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        using var caller = _caller = new Caller("model", options, this, _time, metrics, oneAtATime: false);
        caller.Pool.Opened("inproc://model");
        Open();
        var outcomes = new ConcurrentDictionary<string, int>();
        var open = new List<ModelCall>();
        for (var step = 0; step < Steps && _violations.IsEmpty; step++)
        {
            open.RemoveAll(static call => call.Completion.IsCompleted);
            if (open.Count < MaxOpen && _random.Next(3) == 0) open.Add(Begin(step + 1, outcomes));
            else await StepAsync(open);
            // What others have to do, ends of connections and failed calls, is done on the pool: let it come to its turn.
            if (step % 32 == 0) await Task.Run(static () => { });
            if (Array.TrueForAll(Peers(), static peer => peer.IsClosed)) await ConnectedAsync(open);
        }

        foreach (var call in open) await call.Client.CancelAsync();
        foreach (var peer in Peers()) peer.Abort(new ZmtpException("The model is over."));
        await EndAsync(open);
        Assert.Empty(_violations);
        Assert.Equal(0, caller.InFlight);
        string[] expected = ["answered", nameof(BackendLostException), nameof(BackendTimeoutException), nameof(TaskCanceledException)];
        Assert.All(expected, outcome =>
            Assert.True(outcomes.GetValueOrDefault(outcome) > 100, $"{outcome}: {string.Join(", ", outcomes)}"));
        Assert.All(outcomes.Keys, outcome =>
            Assert.Contains(outcome,
            (string[])[.. expected, nameof(OperationCanceledException), nameof(BackendUnavailableException),
            nameof(BackendOverloadedException), "request-body-truncated"]));
    }

    void ILaneConnections.Connect(string endpoint) =>
        ThreadPool.UnsafeQueueUserWorkItem(static model => model.Open(), this, preferLocal: false);

    bool ILaneConnections.RetryNow() => true;

    private void Open()
    {
        var peer = new ModelPeer("inproc://model", Interleave, _violations.Enqueue);
        var lane = new MultiplexedLane(_caller, peer, new Circuit(new CircuitOptions { Failures = 0 }, _time));
        peer.Sink = lane;
        peer.Gone = gone =>
        {
            _caller.Pool.Remove(lane);
            lock (_gate) _peers.Remove(gone);
            // As a connector does: connected again.
            Open();
        };
        _caller.Pool.Add(lane);
        lock (_gate)
        {
            _peers.Add(peer);
            _opened?.TrySetResult();
            _opened = null;
        }
    }

    private ModelPeer[] Peers()
    {
        lock (_gate) return [.. _peers];
    }

    private ModelCall Begin(int number, ConcurrentDictionary<string, int> outcomes)
    {
        var call = new ModelCall(number, _random, _violations.Enqueue) { StreamedLength = _random.Next(8) == 0 ? 100 : -1 };
        Task completion;
        try
        {
            completion = _caller.CallAsync(call, TimeSpan.FromMilliseconds(_random.Next(50, 2000)), _random.Next(2) == 0, call.Client.Token)
                .AsTask();
        }
        catch (BackendException e)
        {
            completion = Task.FromException(e);
        }

        call.Begin(completion);
        _ = call.Completion.ContinueWith(
            ended => outcomes.AddOrUpdate(Name(ended), 1, static (_, count) => count + 1), CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return call;

        static string Name(Task ended) => ended switch
        {
            { IsCanceled: true } => nameof(TaskCanceledException),
            { Exception.InnerException: BackendException { Code: "request-body-truncated" } e } => e.Code,
            { Exception.InnerException: { } e } => e.GetType().Name,
            _ => "answered",
        };
    }

    private async Task StepAsync(List<ModelCall> open)
    {
        var peers = Peers();
        var call = open.Count > 0 ? open[_random.Next(open.Count)] : null;
        switch (_random.Next(40))
        {
            case 0:
                _time.Advance(TimeSpan.FromMilliseconds(_random.Next(1, 200)));
                break;
            case 1 when call is not null:
                await call.Client.CancelAsync();
                break;
            case 2 when _random.Next(8) == 0 && peers.Length > 0:
                peers[_random.Next(peers.Length)].Abort(new ZmtpException("The model lost a lane."));
                break;
            case 3 when _random.Next(200) == 0:
                // A reload: everything goes, and comes back.
                foreach (var peer in peers) peer.Abort(new ZmtpException("The model was reloaded."));
                break;
            case 4 when peers.Length > 0:
                var changed = peers[_random.Next(peers.Length)];
                changed.IsFull = !changed.IsFull && _random.Next(4) == 0;
                break;
            case > 4 and < 10 when call is not null:
                call.Upload(breaksOff: _random.Next(5) == 0);
                break;
            case > 9 and < 15 when call is not null:
                call.Take();
                break;
            default:
                if (peers.Length > 0) peers[_random.Next(peers.Length)].Reply(_random);
                break;
        }
    }

    /// <summary>Every client takes what comes and breaks off what it sends, until all calls have ended.</summary>
    private static async Task EndAsync(List<ModelCall> open)
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        while (!open.TrueForAll(static call => call.Completion.IsCompleted))
        {
            foreach (var call in open)
            {
                call.Upload(breaksOff: true);
                call.Take();
            }

            await Task.Run(static () => { });
            if (System.Diagnostics.Stopwatch.GetElapsedTime(started) > Bound)
                Assert.Fail($"{open.Count(static call => !call.Completion.IsCompleted)} calls do not end.");
        }
    }

    /// <summary>Every connection has ended: nothing happens before there is another one.</summary>
    private async Task ConnectedAsync(List<ModelCall> open)
    {
        Task opened;
        lock (_gate) opened = (_opened ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        if (!Array.TrueForAll(Peers(), static peer => peer.IsClosed)) return;
        // A connection's end waits for the client that it waits for.
        foreach (var call in open) call.Take();
        await opened.WaitAsync(Bound);
    }

    /// <summary>Between the steps of a hand-over: what another thread might do just then.</summary>
    private void Interleave(ModelPeer peer)
    {
        int choice;
        lock (_inside) choice = _inside.Next(60);
        if (choice == 0) peer.Abort(new ZmtpException("The model lost the lane inside a hand-over."));
        else if (choice < 8) peer.Reply(Random.Shared);
    }
}
