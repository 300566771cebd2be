using System.IO.Pipelines;
using Gateway.Backends;
using Gateway.Backends.Calling;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;
using Gateway.Tests.Zmtp.Proxies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Backends;

public sealed class CallerBackendTests : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private readonly ManualTimeProvider _time = new();
    private readonly List<IAsyncDisposable> _open = [];

    [Fact]
    public async Task A_reply_reaches_its_call()
    {
        var (caller, service) = Make();
        var call = new RecordingCall("2+40");
        var calling = Call(caller, call);
        using var request = await Next(service);
        Assert.Equal(4, request.Count);
        Assert.Equal((8, 0, "2+40"), (request[1].Length, request[2].Length, request.Text(3)));
        Answer(service, request, "42");
        await calling.WaitAsync(Bound);
        Assert.Equal(["42"], call.Reply);
        Assert.Equal(0, caller.InFlight);
    }

    [Fact]
    public async Task Replies_match_in_any_order()
    {
        var (caller, service) = Make();
        var calls = Enumerable.Range(0, 200).Select(i => new RecordingCall($"{i}")).ToArray();
        var calling = calls.Select(call => Call(caller, call)).ToArray();
        var requests = new List<Message>();
        for (var i = 0; i < calls.Length; i++) requests.Add(await Next(service));
        requests.Reverse();
        foreach (var request in requests) Answer(service, request, $"re:{request.Text(3)}");
        await Task.WhenAll(calling).WaitAsync(Bound);
        Assert.All(calls.Select((call, i) => (call, i)), pair => Assert.Equal([$"re:{pair.i}"], pair.call.Reply));
    }

    [Fact]
    public async Task A_call_without_reply_times_out_and_its_late_reply_is_dropped_and_counted()
    {
        var (caller, service) = Make();
        await ReadyAsync(caller);
        var late = new RecordingCall("slow");
        var calling = Call(caller, late);
        using var request = await Next(service);
        _time.Advance(TimeSpan.FromSeconds(5.1));
        var error = await Assert.ThrowsAsync<BackendTimeoutException>(() => calling.WaitAsync(Bound));
        Assert.Equal((504, "backend-timeout"), (error.Status, error.Code));
        Answer(service, request, "too late");

        // The next call's reply comes behind the late one on the same lane.
        var next = new RecordingCall("quick");
        var second = Call(caller, next);
        using var secondRequest = await Next(service);
        Answer(service, secondRequest, "in time");
        await second.WaitAsync(Bound);
        Assert.Equal(["in time"], next.Reply);
        Assert.Empty(late.Reply);
        Assert.Equal(1, caller.LateReplies);
    }

    [Fact]
    public async Task A_client_that_leaves_frees_its_slot()
    {
        var (caller, service) = Make();
        using var gone = new CancellationTokenSource();
        var calling = caller.CallAsync(new RecordingCall("x"), TimeSpan.FromSeconds(5), repeatable: false, gone.Token).AsTask();
        using var request = await Next(service);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => calling.WaitAsync(Bound));
        Assert.Equal(0, caller.InFlight);
    }

    [Fact]
    public async Task Where_nothing_listens_a_call_fails_at_once_with_the_reason()
    {
        // The clock stands still: nobody waits for ConnectWait once the attempt has failed.
        var caller = Caller(new BackendOptions { Socket = "REQ", Connect = ["tcp://127.0.0.1:1"] });
        var calling = Call(caller, new RecordingCall("x"));
        var error = await Assert.ThrowsAsync<BackendUnavailableException>(() => calling.WaitAsync(Bound));
        Assert.Equal((503, "backend-unavailable"), (error.Status, error.Code));
        Assert.Contains("tcp://127.0.0.1:1", error.Message, StringComparison.Ordinal);
        Assert.False(caller.IsReady);
    }

    [Fact]
    public async Task While_a_peer_may_come_a_call_waits_for_ConnectWait()
    {
        var caller = Caller(new BackendOptions { Socket = "REQ", Bind = [Endpoint()] });
        var calling = Call(caller, new RecordingCall("x"));
        Assert.False(calling.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<BackendUnavailableException>(() => calling.WaitAsync(Bound));
        Assert.Equal(0, caller.InFlight);
    }

    [Fact]
    public async Task A_service_that_is_back_is_called_without_waiting_for_the_next_attempt()
    {
        var endpoint = Endpoint();
        var caller = Caller(new BackendOptions { Socket = "REQ", Connect = [endpoint] }, reconnectMin: TimeSpan.FromMinutes(1));
        var first = Service(endpoint);
        await ReadyAsync(caller);
        _time.Advance(TimeSpan.FromSeconds(1));
        await first.DisposeAsync();
        await ProxyTests.EventuallyAsync(() => caller.Endpoints[0].State == "backing off");
        var second = Service(endpoint);
        await AssertAnsweredAsync(caller, second);
    }

    [Fact]
    public async Task A_probe_whose_connection_is_lost_does_not_leave_the_circuit_open()
    {
        var (caller, service) =
            Make(static options => options.Circuit = new CircuitOptions { Failures = 1, Break = TimeSpan.FromSeconds(10) });
        await ReadyAsync(caller);
        await TimeOutAsync(caller, service);
        _time.Advance(TimeSpan.FromSeconds(10));
        var probing = Call(caller, new RecordingCall("probe"));
        using (await Next(service)) await service.DisposeAsync();
        await Assert.ThrowsAsync<BackendLostException>(() => probing.WaitAsync(Bound));

        // Whatever listens there now starts fresh.
        var again = Service(caller.Endpoints[0].Endpoint);
        await AssertAnsweredAsync(caller, again);
        Assert.True(caller.IsReady);
    }

    [Fact]
    public async Task A_probe_whose_client_leaves_makes_room_for_the_next()
    {
        var (caller, service) =
            Make(static options => options.Circuit = new CircuitOptions { Failures = 1, Break = TimeSpan.FromSeconds(10) });
        await ReadyAsync(caller);
        await TimeOutAsync(caller, service);
        _time.Advance(TimeSpan.FromSeconds(10));
        using var client = new CancellationTokenSource();
        var probing = caller.CallAsync(new RecordingCall("probe"), TimeSpan.FromSeconds(5), repeatable: false, client.Token).AsTask();
        using (await Next(service)) await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probing.WaitAsync(Bound));
        await AssertAnsweredAsync(caller, service);
    }

    [Fact]
    public async Task An_open_circuit_is_shown_and_a_late_reply_closes_it()
    {
        var (caller, service) =
            Make(static options => options.Circuit = new CircuitOptions { Failures = 1, Break = TimeSpan.FromSeconds(10) });
        await ReadyAsync(caller);
        using var late = await TimeOutAsync(caller, service);
        Assert.False(caller.IsReady);
        Assert.Contains("timed out 1 times in a row", caller.WhyNotReady, StringComparison.Ordinal);
        Assert.Equal("not answering", Assert.Single(caller.Endpoints).State);
        Answer(service, late, "at last");
        await ProxyTests.EventuallyAsync(() => caller.IsReady);
        await AssertAnsweredAsync(caller, service);
    }

    [Fact]
    public async Task Calls_one_after_the_other_take_turns_over_the_endpoints()
    {
        string[] endpoints = [Endpoint(), Endpoint()];
        var services = endpoints.Select(Service).ToArray();
        var caller = Caller(new BackendOptions { Socket = "REQ", Connect = [.. endpoints] });
        await ProxyTests.EventuallyAsync(() => caller.Endpoints.Count(static endpoint => endpoint.State == "ready") == 2);
        var next = services.Select(Next).ToArray();
        var counts = new int[2];
        for (var i = 0; i < 30; i++)
        {
            var calling = Call(caller, new RecordingCall("x"));
            var at = Array.IndexOf(next, await Task.WhenAny(next));
            using (var request = await next[at]) Answer(services[at], request, "ok");
            next[at] = Next(services[at]);
            counts[at]++;
            await calling.WaitAsync(Bound);
        }

        Assert.Equal([15, 15], counts);
    }

    [Fact]
    public async Task A_worker_that_connects_to_a_bound_caller_becomes_its_lane()
    {
        var endpoint = Endpoint();
        var caller = Caller(new BackendOptions { Socket = "REQ", Bind = [endpoint] });
        await using var worker = new RepSocket();
        worker.Connect(endpoint);
        var call = new RecordingCall("ping");
        var calling = Call(caller, call);
        using var request = await worker.ReceiveAsync().AsTask().WaitAsync(Bound);
        worker.Send(Message.Of($"{request.Text(0)}-pong"));
        await calling.WaitAsync(Bound);
        Assert.Equal(["ping-pong"], call.Reply);
    }

    [Fact]
    public async Task A_repeatable_call_moves_to_another_peer_when_its_own_is_lost()
    {
        string[] endpoints = [Endpoint(), Endpoint()];
        var services = endpoints.Select(Service).ToArray();
        var caller = Caller(new BackendOptions { Socket = "REQ", Connect = [.. endpoints] });
        var call = new RecordingCall("again");
        var calling = caller.CallAsync(call, TimeSpan.FromSeconds(5), repeatable: true, CancellationToken.None).AsTask();
        // Whichever lane was ready first has it.
        var requests = services.Select(Next).ToArray();
        var lost = await Task.WhenAny(requests);
        var other = 1 - Array.IndexOf(requests, lost);
        (await lost).Dispose();
        await services[1 - other].DisposeAsync();

        // The clock stands still: nothing but the other lane can complete the call.
        using var request = await requests[other];
        Answer(services[other], request, "done");
        await calling.WaitAsync(Bound);
        Assert.Equal(["done"], call.Reply);
        Assert.Equal(2, call.Written);
    }

    [Fact]
    public async Task A_call_that_may_not_be_repeated_fails_when_its_peer_is_lost()
    {
        var (caller, service) = Make();
        var calling = Call(caller, new RecordingCall("once"));
        using (await Next(service)) await service.DisposeAsync();
        var error = await Assert.ThrowsAsync<BackendLostException>(() => calling.WaitAsync(Bound));
        Assert.Equal((502, "backend-lost"), (error.Status, error.Code));
        Assert.Equal(0, caller.InFlight);
    }

    [Fact]
    public async Task Consecutive_timeouts_open_the_circuit_and_a_probe_closes_it()
    {
        var (caller, service) = Make(options => options.Circuit = new CircuitOptions { Failures = 2, Break = TimeSpan.FromSeconds(10) });
        await ReadyAsync(caller);
        for (var i = 0; i < 2; i++)
        {
            var calling = Call(caller, new RecordingCall("x"));
            using (await Next(service)) _time.Advance(TimeSpan.FromSeconds(5.1));
            await Assert.ThrowsAsync<BackendTimeoutException>(() => calling.WaitAsync(Bound));
        }

        var rejected = await Assert.ThrowsAsync<BackendUnavailableException>(() => Call(caller, new RecordingCall("x")).WaitAsync(Bound));
        Assert.Contains("timed out 2 times in a row", rejected.Message, StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromSeconds(10));
        var probe = new RecordingCall("probe");
        var probing = Call(caller, probe);
        using var request = await Next(service);
        Answer(service, request, "well again");
        await probing.WaitAsync(Bound);
        Assert.Equal(["well again"], probe.Reply);
    }

    [Fact]
    public async Task More_calls_than_MaxInFlight_are_refused()
    {
        var (caller, service) = Make(options => options.MaxInFlight = 2);
        var calls = new[] { Call(caller, new RecordingCall("1")), Call(caller, new RecordingCall("2")) };
        var error = await Assert.ThrowsAsync<BackendException>(() => Call(caller, new RecordingCall("3")));
        Assert.Equal((503, "backend-overloaded"), (error.Status, error.Code));
        for (var i = 0; i < 2; i++)
        {
            using var request = await Next(service);
            Answer(service, request, "ok");
        }

        await Task.WhenAll(calls).WaitAsync(Bound);
    }

    [Fact]
    public async Task A_streamed_body_becomes_the_last_frame()
    {
        var (caller, service) = Make();
        var pipe = new Pipe();
        var call = new RecordingCall("head") { StreamedLength = 300_000, StreamedBody = pipe.Reader };
        var calling = Call(caller, call);
        for (var i = 0; i < 3; i++) await pipe.Writer.WriteAsync(new byte[100_000]);
        await pipe.Writer.CompleteAsync();
        using var request = await Next(service);
        Assert.Equal(5, request.Count);
        Assert.Equal(("head", 300_000), (request.Text(3), request[4].Length));
        Answer(service, request, "stored");
        await calling.WaitAsync(Bound);
        Assert.Equal(["stored"], call.Reply);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var open in _open) await open.DisposeAsync();
    }

    private static Task Call(CallerBackend caller, ICall call)
    {
        try
        {
            return caller.CallAsync(call, TimeSpan.FromSeconds(5), repeatable: false, CancellationToken.None).AsTask();
        }
        catch (BackendException e)
        {
            return Task.FromException(e);
        }
    }

    /// <summary>A call on a ready lane starts its timer before the call returns; one that waits for a lane starts it on the pool, perhaps after the clock was moved.</summary>
    private static Task ReadyAsync(CallerBackend caller) => ProxyTests.EventuallyAsync(() => caller.IsReady);

    /// <summary>A call reaches the service now, and its reply comes back.</summary>
    private static async Task AssertAnsweredAsync(CallerBackend caller, RouterSocket service)
    {
        var call = new RecordingCall("x");
        var calling = Call(caller, call);
        using var request = await Next(service);
        Answer(service, request, "well");
        await calling.WaitAsync(Bound);
        Assert.Equal(["well"], call.Reply);
    }

    /// <summary>Lets one call time out; the request is the caller's.</summary>
    private async Task<Message> TimeOutAsync(CallerBackend caller, RouterSocket service)
    {
        var calling = Call(caller, new RecordingCall("x"));
        var request = await Next(service);
        _time.Advance(TimeSpan.FromSeconds(5.1));
        await Assert.ThrowsAsync<BackendTimeoutException>(() => calling.WaitAsync(Bound));
        return request;
    }

    private static Task<Message> Next(RouterSocket service) => service.ReceiveAsync().AsTask().WaitAsync(Bound);

    private static void Answer(RouterSocket service, Message request, string body)
    {
        var reply = Message.Create();
        for (var i = 0; i < 3; i++) reply.Add(request[i].Span);
        reply.Add(System.Text.Encoding.UTF8.GetBytes(body));
        Assert.True(service.Send(reply));
    }

    private static string Endpoint() => $"inproc://{Guid.NewGuid():N}";

    private (CallerBackend Caller, RouterSocket Service) Make(Action<BackendOptions>? change = null)
    {
        var options = new BackendOptions { Socket = "REQ", Connect = [Endpoint()] };
        change?.Invoke(options);
        var service = Service(options.Connect[0]);
        return (Caller(options), service);
    }

    private RouterSocket Service(string endpoint)
    {
        var service = new RouterSocket();
        service.Bind(endpoint);
        _open.Add(service);
        return service;
    }

    private CallerBackend Caller(BackendOptions options, TimeSpan? reconnectMin = null)
    {
        var metrics = new BackendMetrics(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        var socket = new ZmtpOptions { Time = _time };
        if (reconnectMin is { } wait) socket.ReconnectMin = wait;
        var caller = new CallerBackend("test", options, socket, _time, new BackendLog("test", NullLogger.Instance, metrics), metrics);
        _open.Add(caller);
        return caller;
    }
}
