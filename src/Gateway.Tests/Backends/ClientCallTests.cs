using System.IO.Pipelines;
using Gateway.Backends;
using Gateway.Backends.Calling;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Backends;

/// <summary>Calls of a CLIENT backend: no envelope, so one call at a time on a connection.</summary>
public sealed class ClientCallTests : IAsyncDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private readonly List<IAsyncDisposable> _open = [];

    [Fact]
    public async Task A_request_is_one_frame_and_so_is_its_reply()
    {
        var (caller, server) = Make();
        var call = new RecordingCall("2+40");
        var calling = Call(caller, call);
        var (routingId, request) = await Next(server);
        Assert.Equal((1, "2+40"), (request.Count, request.Text(0)));
        request.Dispose();
        await server.SendAsync(routingId, Message.Of("42"));
        await calling.WaitAsync(Bound);
        Assert.Equal(["42"], call.Reply);
        Assert.Equal(0, caller.InFlight);
    }

    [Fact]
    public async Task Calls_at_the_same_time_take_further_connections_and_then_turns()
    {
        var (caller, server) = Make(options => options.MaxConnections = 3);
        var calls = Enumerable.Range(0, 50).Select(i => new RecordingCall($"{i}")).ToArray();
        var calling = calls.Select(call => Call(caller, call)).ToArray();
        var asking = new HashSet<uint>();
        var connections = new HashSet<uint>();
        var open = new Queue<(uint RoutingId, string Text)>();
        for (var i = 0; i < calls.Length; i++)
        {
            // Answered only when the connections are all in use.
            if (open.Count == 3) await AnswerAsync();
            var (routingId, request) = await Next(server);
            Assert.True(asking.Add(routingId), "a second call came on a connection before the reply to the first");
            connections.Add(routingId);
            open.Enqueue((routingId, request.Text(0)));
            request.Dispose();
        }

        while (open.Count > 0) await AnswerAsync();
        await Task.WhenAll(calling).WaitAsync(Bound);
        Assert.Equal(3, connections.Count);
        Assert.All(calls.Select((call, i) => (call, i)), pair => Assert.Equal([$"re:{pair.i}"], pair.call.Reply));

        async Task AnswerAsync()
        {
            var (routingId, text) = open.Dequeue();
            asking.Remove(routingId);
            await server.SendAsync(routingId, Message.Of($"re:{text}")).AsTask().WaitAsync(Bound);
        }
    }

    [Fact]
    public async Task The_late_reply_to_a_call_that_was_given_up_answers_no_other()
    {
        var (caller, server) = Make(options => options.MaxConnections = 1);
        using var leaves = new CancellationTokenSource();
        var late = new RecordingCall("slow");
        var calling = caller.CallAsync(late, TimeSpan.FromSeconds(20), repeatable: false, leaves.Token).AsTask();
        var (routingId, request) = await Next(server);
        request.Dispose();
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => calling.WaitAsync(Bound));
        var next = new RecordingCall("quick");
        var second = Call(caller, next);
        // The connection went with the call, so its reply has nowhere to go, and the next call comes on another one.
        var (nextId, nextRequest) = await Next(server);
        Assert.NotEqual(routingId, nextId);
        Assert.Equal("quick", nextRequest.Text(0));
        nextRequest.Dispose();
        Assert.Throws<ZmtpUnreachableException>(() => server.TrySend(routingId, Message.Of("too late")));
        await server.SendAsync(nextId, Message.Of("in time"));
        await second.WaitAsync(Bound);
        Assert.Equal(["in time"], next.Reply);
        Assert.Empty(late.Reply);
    }

    [Fact]
    public async Task When_every_connection_is_busy_for_the_whole_timeout_the_answer_says_so()
    {
        var (caller, server) = Make(options => options.MaxConnections = 1);
        var first = Call(caller, new RecordingCall("first"));
        var (routingId, request) = await Next(server);
        request.Dispose();
        var waiting = caller.CallAsync(new RecordingCall("second"), TimeSpan.FromMilliseconds(50), repeatable: false, CancellationToken.None).AsTask();
        var error = await Assert.ThrowsAsync<BackendOverloadedException>(() => waiting.WaitAsync(Bound));
        Assert.Equal((503, "backend-overloaded"), (error.Status, error.Code));
        Assert.Contains("MaxConnections is 1", error.Message, StringComparison.Ordinal);
        await server.SendAsync(routingId, Message.Of("done"));
        await first.WaitAsync(Bound);
        Assert.Equal(0, caller.InFlight);
    }

    [Fact]
    public async Task A_request_of_several_frames_is_an_error_and_the_connection_stays()
    {
        var (caller, server) = Make(options => options.MaxConnections = 1);
        var error = await Assert.ThrowsAsync<BackendException>(() => Call(caller, new RecordingCall("a") { Frames = 2 }).WaitAsync(Bound));
        Assert.Equal((400, "not-one-frame"), (error.Status, error.Code));
        var streamed = new RecordingCall("head") { StreamedLength = 3, StreamedBody = new Pipe().Reader };
        error = await Assert.ThrowsAsync<BackendException>(() => Call(caller, streamed).WaitAsync(Bound));
        Assert.Equal((400, "not-one-frame"), (error.Status, error.Code));
        var call = new RecordingCall("single");
        var calling = Call(caller, call);
        var (routingId, request) = await Next(server);
        request.Dispose();
        await server.SendAsync(routingId, Message.Of("ok"));
        await calling.WaitAsync(Bound);
        Assert.Equal(0, caller.InFlight);
    }

    [Fact]
    public async Task A_body_that_streams_is_the_one_frame()
    {
        var (caller, server) = Make();
        var pipe = new Pipe();
        var call = new RecordingCall("") { StreamedLength = 300_000, StreamedBody = pipe.Reader };
        var calling = Call(caller, call);
        for (var i = 0; i < 3; i++) await pipe.Writer.WriteAsync(new byte[100_000]);
        await pipe.Writer.CompleteAsync();
        var (routingId, request) = await Next(server);
        Assert.Equal((1, 300_000), (request.Count, request[0].Length));
        request.Dispose();
        await server.SendAsync(routingId, Message.Of("stored"));
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
            return caller.CallAsync(call, TimeSpan.FromSeconds(20), repeatable: false, CancellationToken.None).AsTask();
        }
        catch (BackendException e)
        {
            return Task.FromException(e);
        }
    }

    private static Task<RoutedMessage> Next(ServerSocket server) => server.ReceiveAsync().AsTask().WaitAsync(Bound);

    private (CallerBackend Caller, ServerSocket Server) Make(Action<BackendOptions>? change = null)
    {
        var server = new ServerSocket();
        _open.Add(server);
        var options = new BackendOptions { Socket = "CLIENT", Connect = [server.Bind("tcp://127.0.0.1:*")] };
        change?.Invoke(options);
        var metrics = new BackendMetrics(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        var socket = new ZmtpOptions { ReconnectMin = TimeSpan.FromMilliseconds(1), ReconnectMax = TimeSpan.FromMilliseconds(20) };
        var caller = new CallerBackend("test", options, socket, TimeProvider.System, new BackendLog("test", NullLogger.Instance, metrics), metrics);
        _open.Add(caller);
        return (caller, server);
    }
}
