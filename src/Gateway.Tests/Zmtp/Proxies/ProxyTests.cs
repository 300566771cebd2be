using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Proxies;
using Zmtp.Sockets;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Proxies;

/// <summary>A proxy between our own sockets; Interop/DeviceTests has real peers around it.</summary>
public class ProxyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static ZmtpOptions Named(string identity) => new() { Identity = System.Text.Encoding.UTF8.GetBytes(identity) };

    [Fact]
    public async Task A_queue_brings_each_reply_to_who_asked()
    {
        await using var proxy = new ZmtpProxy(new RouterSocket(), new DealerSocket());
        var (front, back) = (proxy.Frontend.Bind("tcp://127.0.0.1:*"), proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await using var service = new RepSocket();
        service.Connect(back);
        var serving = Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                using var request = await service.ReceiveAsync();
                Assert.True(service.Send(Message.Of($"re: {request.Text(0)}")));
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 2).Select(async client =>
        {
            await using var socket = new ReqSocket();
            socket.Connect(front);
            for (var i = 0; i < 10; i++)
            {
                using var reply = await socket.RequestAsync(Message.Of($"{client}/{i}")).AsTask().WaitAsync(Patience);
                Assert.Equal($"re: {client}/{i}", reply.Text(0));
            }
        }));
        await serving.WaitAsync(Patience);
        var statistics = proxy.Statistics;
        // A REQ's message has an empty frame and a body; the ROUTER puts an identity of five bytes in front.
        Assert.Equal((20, 60, 20 * (5 + 3)), (statistics.FromFrontend.Messages, statistics.FromFrontend.Frames, statistics.FromFrontend.Bytes));
        Assert.Equal((20, 60, 0L, 0L), (statistics.FromBackend.Messages, statistics.FromBackend.SentFrames, statistics.FromBackend.Dropped, statistics.FromBackend.Lost));
    }

    [Fact]
    public async Task Between_two_ROUTERs_the_first_two_frames_change_places_and_the_monitor_shows_it()
    {
        await using var proxy = new ZmtpProxy(
            new RouterSocket(), new RouterSocket(), new ProxyOptions { Monitor = new PairSocket(), InPrefix = "in"u8.ToArray(), OutPrefix = "out"u8.ToArray() });
        await using var tap = new PairSocket();
        tap.Connect(proxy.Monitor!.Bind("tcp://127.0.0.1:*"));
        await using var client = new DealerSocket(Named("CLI"));
        await using var worker = new DealerSocket(Named("WRK"));
        client.Connect(proxy.Frontend.Bind("tcp://127.0.0.1:*"));
        worker.Connect(proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await UntilReadyAsync(proxy.Frontend, proxy.Backend, proxy.Monitor);

        await client.SendAsync(Message.Of("WRK", "body"));
        Assert.Equal("CLI|body", await NextAsync(worker.ReceiveAsync()));
        Assert.Equal("in|WRK|CLI|body", await NextAsync(tap.ReceiveAsync()));
        await worker.SendAsync(Message.Of("CLI", "answer"));
        Assert.Equal("WRK|answer", await NextAsync(client.ReceiveAsync()));
        Assert.Equal("out|CLI|WRK|answer", await NextAsync(tap.ReceiveAsync()));
    }

    [Fact]
    public async Task A_proxy_refuses_a_socket_that_is_to_queue_before_a_connection()
    {
        await using var pull = new PullSocket();
        await using var push = new PushSocket(new ZmtpOptions { Immediate = false });
        Assert.Contains("PUSH socket cannot have Immediate", Assert.Throws<ArgumentException>(() => new ZmtpProxy(pull, push)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_for_an_unknown_identity_is_dropped_and_counted()
    {
        await using var proxy = new ZmtpProxy(new RouterSocket(), new RouterSocket());
        await using var client = new DealerSocket(Named("CLI"));
        client.Connect(proxy.Frontend.Bind("tcp://127.0.0.1:*"));
        var dropped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        proxy.Tap = (_, _) => dropped.TrySetResult();
        await client.SendAsync(Message.Of("nobody", "body"));
        await dropped.Task.WaitAsync(Patience);
        await client.SendAsync(Message.Of("alone"));
        // A message is counted first, then how it ended: both, or the test is between the two.
        await EventuallyAsync(() => proxy.Statistics.FromFrontend is { Messages: 2, Dropped: 2 });
    }

    [Fact]
    public async Task A_forwarder_asks_publishers_for_what_subscribers_want_and_no_more()
    {
        await using var proxy = new ZmtpProxy(new XSubSocket(), new XPubSocket());
        await using var publisher = new XPubSocket();
        publisher.Connect(proxy.Frontend.Bind("tcp://127.0.0.1:*"));
        await using var subscriber = new SubSocket();
        subscriber.Subscribe("b");
        subscriber.Connect(proxy.Backend.Bind("tcp://127.0.0.1:*"));
        Assert.Equal("\u0001b", await NextAsync(publisher.ReceiveAsync()));
        Assert.Equal(0, publisher.Send(Message.Of("a", "1")));
        Assert.Equal(1, publisher.Send(Message.Of("bb", "2")));
        Assert.Equal("bb|2", await NextAsync(subscriber.ReceiveAsync()));
        subscriber.Unsubscribe("b"u8);
        Assert.Equal("\0b", await NextAsync(publisher.ReceiveAsync()));
    }

    [Fact]
    public async Task Nothing_is_lost_and_order_kept_when_workers_are_slow_and_the_marks_low()
    {
        const int clients = 4, workers = 3, each = 25_000;
        static ZmtpOptions Low() => new() { SendHighWaterMark = 20, ReceiveHighWaterMark = 20 };
        await using var proxy = new ZmtpProxy(new RouterSocket(Low()), new DealerSocket(Low()));
        var (front, back) = (proxy.Frontend.Bind("tcp://127.0.0.1:*"), proxy.Backend.Bind("tcp://127.0.0.1:*"));
        var working = Enumerable.Range(0, workers).Select(_ => new RouterSocket(Low())).ToArray();
        var seen = new int[workers, clients];
        var serving = working.Select((worker, at) => Task.Run(async () =>
        {
            worker.Connect(back);
            for (var i = 0; ; i++)
            {
                Message request;
                try
                {
                    request = await worker.ReceiveAsync();
                }
                catch (ObjectDisposedException)
                {
                    return;
                }

                // [device][client's identity][client number][sequence]
                var (client, sequence) = (int.Parse(request.Text(2)), int.Parse(request.Text(3)));
                Assert.True(sequence > seen[at, client], "A worker got a client's messages out of order.");
                seen[at, client] = sequence;
                while (!worker.Send(request.Retain())) await Task.Yield();
                request.Dispose();
                if (i % 64 == 0) await Task.Yield();
            }
        })).ToArray();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(async () =>
        {
            await using var socket = new DealerSocket(Low());
            socket.Connect(front);
            var sending = Task.Run(async () =>
            {
                for (var i = 1; i <= each; i++) await socket.SendAsync(Message.Of($"{client}", $"{i}"));
            });
            var left = Enumerable.Range(1, each).ToHashSet();
            while (left.Count > 0)
            {
                using var reply = await socket.ReceiveAsync().AsTask().WaitAsync(Patience);
                Assert.Equal($"{client}", reply.Text(0));
                Assert.True(left.Remove(int.Parse(reply.Text(1))), "A reply came twice.");
            }

            await sending;
        })));
        foreach (var worker in working) await worker.DisposeAsync();
        await Task.WhenAll(serving).WaitAsync(Patience);
        var statistics = proxy.Statistics;
        Assert.Equal((clients * each, clients * each), (statistics.FromFrontend.Messages, statistics.FromBackend.Messages));
        Assert.Equal((0L, 0L), (statistics.FromFrontend.Dropped + statistics.FromBackend.Dropped, statistics.FromFrontend.Lost + statistics.FromBackend.Lost));
    }

    [Fact]
    public async Task A_paused_proxy_passes_nothing_and_a_resumed_one_all_of_it()
    {
        await using var proxy = new ZmtpProxy(new PullSocket(), new PushSocket());
        await using var pusher = new PushSocket();
        pusher.Connect(proxy.Frontend.Bind("tcp://127.0.0.1:*"));
        await using var puller = new PullSocket();
        puller.Connect(proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await UntilReadyAsync(proxy.Frontend, proxy.Backend);
        proxy.Pause();
        for (var i = 0; i < 5; i++) await pusher.SendAsync(Message.Of($"{i}"));
        await EventuallyAsync(() => proxy.Statistics.FromFrontend.Waiting == 5);
        Assert.Equal((ProxyState.Paused, 0), (proxy.State, proxy.Statistics.FromFrontend.Messages));
        Assert.False(puller.TryReceive(out _));
        proxy.Resume();
        for (var i = 0; i < 5; i++) Assert.Equal($"{i}", await NextAsync(puller.ReceiveAsync()));
        Assert.Equal((5, 0), (proxy.Statistics.FromFrontend.Messages, proxy.Statistics.FromFrontend.Waiting));
    }

    [Fact]
    public async Task Disposing_lets_go_on_what_was_taken_and_counts_what_the_linger_time_was_too_short_for()
    {
        var time = new ManualTimeProvider();
        var proxy = new ZmtpProxy(new PullSocket(new ZmtpOptions { Time = time }), new PushSocket(new ZmtpOptions { Time = time }));
        await using var pusher = new PushSocket();
        pusher.Connect(proxy.Frontend.Bind("tcp://127.0.0.1:*"));
        for (var i = 0; i < 3; i++) await pusher.SendAsync(Message.Of($"{i}"));
        await EventuallyAsync(() => proxy.Statistics.FromFrontend.Waiting == 3);
        var ending = proxy.DisposeAsync().AsTask();
        await EventuallyAsync(() => proxy.State == ProxyState.Draining);
        Assert.False(ending.IsCompleted);
        // Nobody pulls. The proxy's wait may begin a moment after its state says so.
        while (!ending.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        await ending;
        Assert.Equal((3, 0), (proxy.Statistics.FromFrontend.Lost, proxy.Statistics.FromFrontend.Waiting));
    }

    [Fact]
    public async Task A_reader_that_never_reads_is_waited_for_once_and_does_not_stop_the_others()
    {
        var time = new ManualTimeProvider();
        var options = new ZmtpOptions { SendHighWaterMark = 2, SendHighWaterMarkBytes = 1 << 20, Time = time };
        await using var proxy = new ZmtpProxy(new RouterSocket(options), new DealerSocket(new ZmtpOptions { Time = time }), new ProxyOptions { FullPeerTimeout = TimeSpan.FromSeconds(5) });
        var front = proxy.Frontend.Bind("tcp://127.0.0.1:*");
        await using var stuck = new DealerSocket(new ZmtpOptions { Identity = "STUCK"u8.ToArray(), ReceiveHighWaterMark = 1 });
        await using var quick = new DealerSocket(Named("QUICK"));
        stuck.Connect(front);
        quick.Connect(front);
        await using var worker = new DealerSocket();
        worker.Connect(proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await EventuallyAsync(() => proxy.Frontend.Endpoints.Count(e => e.Phase == EndpointPhase.Ready) == 2 && proxy.Backend.Endpoints.Any(e => e.Phase == EndpointPhase.Ready));
        var body = new byte[1 << 20];
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < 40; i++) await worker.SendAsync(Message.Of("STUCK"u8.ToArray(), body));
            await worker.SendAsync(Message.Of("QUICK", "hello"));
        });
        var hello = quick.ReceiveAsync().AsTask();
        // Time passes only for the proxy; each second it looks again.
        while (!hello.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal("hello", (await hello).Text(0));
        await sending.WaitAsync(Patience);
        Assert.InRange(proxy.Statistics.FromBackend.Dropped, 1, 40);
    }

    [Fact]
    public async Task A_monitor_that_nobody_reads_never_holds_the_queue_up()
    {
        await using var proxy = new ZmtpProxy(
            new PullSocket(), new PushSocket(), new ProxyOptions { Monitor = new PushSocket(new ZmtpOptions { SendHighWaterMark = 1 }) });
        await using var idle = new PullSocket(new ZmtpOptions { ReceiveHighWaterMark = 1, ReceiveBuffer = 4096 });
        idle.Connect(proxy.Monitor!.Bind("tcp://127.0.0.1:*"));
        await using var pusher = new PushSocket();
        pusher.Connect(proxy.Frontend.Bind("tcp://127.0.0.1:*"));
        await using var puller = new PullSocket();
        puller.Connect(proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await UntilReadyAsync(proxy.Frontend, proxy.Backend, proxy.Monitor);
        var body = new byte[64 * 1024];
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < 1000; i++) await pusher.SendAsync(Message.Of(body));
        });
        for (var i = 0; i < 1000; i++) Assert.Equal(body.Length, (await puller.ReceiveAsync().AsTask().WaitAsync(Patience)).Length);
        await sending;
        Assert.InRange(proxy.Statistics.MonitorMissed, 1, 1000);
    }

    [Fact]
    public async Task A_frame_of_64_MiB_is_sent_on_while_it_arrives()
    {
        const int size = 64 << 20;
        await using var proxy = new ZmtpProxy(new PullSocket(), new PushSocket());
        await using var pusher = await PeerAsync("PUSH", proxy.Frontend.Bind("tcp://127.0.0.1:*"));
        await using var puller = await PeerAsync("PULL", proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await UntilReadyAsync(proxy.Frontend, proxy.Backend);
        await pusher.SendAsync([1, 3, 1, 2, 3, 2, 0, 0, 0, 0, 4, 0, 0, 0]);
        // Half of the frame has not been sent when its beginning is there already.
        var half = new byte[size / 2];
        half.AsSpan().Fill(7);
        var sending = pusher.SendAsync(half);
        Assert.Equal([1, 3, 1, 2, 3, 2, 0, 0, 0, 0, 4, 0, 0, 0], await puller.ReceiveAsync(14));
        // Compared as spans: element by element takes longer than a sender may be silent.
        Assert.True((await puller.ReceiveAsync(half.Length)).AsSpan().SequenceEqual(half));
        await sending;
        var rest = pusher.SendAsync(half);
        Assert.True((await puller.ReceiveAsync(half.Length)).AsSpan().SequenceEqual(half));
        await rest;
        await EventuallyAsync(() => proxy.Statistics.FromFrontend.Messages == 1);
        Assert.Equal((2, size + 3L, 0L), (proxy.Statistics.FromFrontend.Frames, proxy.Statistics.FromFrontend.SentBytes, proxy.Statistics.FromFrontend.Lost));
    }

    [Theory]
    [InlineData("inproc://large-front", "tcp://127.0.0.1:*")]
    [InlineData("tcp://127.0.0.1:*", "inproc://large-back")]
    public async Task Frames_larger_than_what_is_held_pass_between_inproc_and_tcp_whoever_comes_first(string front, string back)
    {
        var inproc = new InprocRegistry();
        ZmtpOptions Options() => new() { Inproc = inproc };
        await using var proxy = new ZmtpProxy(new PullSocket(Options()), new PushSocket(Options()));
        await using var pusher = new PushSocket(Options());
        pusher.Connect(proxy.Frontend.Bind(front));
        var body = new byte[3 << 20];
        body.AsSpan().Fill(5);
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < 4; i++) await pusher.SendAsync(Message.Of([(byte)i], body));
        });
        // The first frame waits for somebody to take it.
        await EventuallyAsync(() => proxy.Frontend.Endpoints.Any(e => e.Phase == EndpointPhase.Ready));
        await using var puller = new PullSocket(Options());
        puller.Connect(proxy.Backend.Bind(back));
        for (var i = 0; i < 4; i++)
        {
            using var message = await puller.ReceiveAsync().AsTask().WaitAsync(Patience);
            Assert.Equal(i, message[0].Span[0]);
            Assert.True(message[1].Span.SequenceEqual(body));
        }

        await sending;
        Assert.Equal((4, 0L, 0L), (proxy.Statistics.FromFrontend.Messages, proxy.Statistics.FromFrontend.Dropped, proxy.Statistics.FromFrontend.Lost));
    }

    [Fact]
    public async Task A_message_that_passes_costs_no_memory()
    {
        const int count = 10_000;
        await using var proxy = new ZmtpProxy(new PullSocket(), new PushSocket(new ZmtpOptions { SendHighWaterMark = 0, SendHighWaterMarkBytes = 0 }));
        await using var puller = new PullSocket();
        puller.Connect(proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await UntilReadyAsync(proxy.Backend);
        var pipe = proxy.Frontend.Pipes!.MakePipe(null!, [0, 1, 2, 3, 4], null);
        // The first time fills the pools.
        Pass(count);
        var cost = Pass(count);
        // The smallest object, 24 bytes, for a message would show.
        Assert.InRange(cost / (double)count, 0, 8);
        for (var i = 0; i < 2 * count; i++) (await puller.ReceiveAsync().AsTask().WaitAsync(Patience)).Dispose();

        long Pass(int messages)
        {
            Span<byte> body = stackalloc byte[100];
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 1; i <= messages; i++)
            {
                Assert.True(pipe.Accept(new FramePart([], 0, isFirst: true, isLast: true, more: true)));
                Assert.True(pipe.Accept(new FramePart(body, body.Length, isFirst: true, isLast: true, more: false)));
                if (i % 100 == 0) pipe.BatchEnd();
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public async Task A_large_frame_that_breaks_off_is_never_shown_as_whole()
    {
        await using var proxy = new ZmtpProxy(new PullSocket(), new PushSocket());
        var pusher = await PeerAsync("PUSH", proxy.Frontend.Bind("tcp://127.0.0.1:*"));
        await using var puller = await PeerAsync("PULL", proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await UntilReadyAsync(proxy.Frontend, proxy.Backend);
        await pusher.SendAsync([2, 0, 0, 0, 0, 4, 0, 0, 0]);
        await pusher.SendAsync(new byte[100_000]);
        await puller.ReceiveAsync(9 + 100_000);
        await pusher.DisposeAsync();
        // The only way to take a begun frame back is to end the connection.
        Assert.Empty(await puller.ReceiveToEndAsync());
    }

    [Theory]
    [InlineData(SocketType.Pair)]
    [InlineData(SocketType.Dealer)]
    public async Task A_control_socket_pauses_resumes_counts_and_ends(SocketType type)
    {
        ZmtpSocket control = type == SocketType.Pair ? new PairSocket() : new DealerSocket();
        await using var proxy = new ZmtpProxy(new PullSocket(), new PushSocket(), new ProxyOptions { Control = control });
        await using var remote = new DealerSocket();
        await using var pair = new PairSocket();
        var endpoint = control.Bind("tcp://127.0.0.1:*");
        (type == SocketType.Pair ? (ZmtpSocket)pair : remote).Connect(endpoint);
        ValueTask SendAsync(string text) => type == SocketType.Pair ? pair.SendAsync(Message.Of(text)) : remote.SendAsync(Message.Of(text));
        await SendAsync("PAUSE");
        await EventuallyAsync(() => proxy.State == ProxyState.Paused);
        await SendAsync("NONSENSE");
        await SendAsync("RESUME");
        await EventuallyAsync(() => proxy.State == ProxyState.Running);
        await SendAsync("STATISTICS");
        using var answer = await (type == SocketType.Pair ? pair.ReceiveAsync().AsTask() : remote.ReceiveAsync().AsTask()).WaitAsync(Patience);
        Assert.Equal(8, answer.Count);
        Assert.All(Enumerable.Range(0, 8), i => Assert.Equal(new byte[8], answer[i].ToArray()));
        await SendAsync("TERMINATE");
        await proxy.Terminated.WaitAsync(Patience);
    }

    [Theory]
    [InlineData(SocketType.Push, SocketType.Push, "PUSH cannot stand opposite PUSH; opposite PUSH: PULL, SUB, XSUB")]
    [InlineData(SocketType.Router, SocketType.Pub, "ROUTER cannot stand opposite PUB; opposite ROUTER: ROUTER, DEALER, PAIR")]
    [InlineData(SocketType.Rep, SocketType.Dealer, "a device has no REP side, which keeps step with one request; ROUTER towards clients and DEALER towards services do not")]
    [InlineData(SocketType.Sub, SocketType.XPub, null)]
    [InlineData(SocketType.Dealer, SocketType.Dealer, null)]
    public void Only_sockets_between_which_messages_can_pass_make_a_pair(SocketType frontend, SocketType backend, string? problem) =>
        Assert.Equal(problem, ProxyPairs.Problem(frontend, backend));

    private static async Task<ScriptedPeer> PeerAsync(string type, string endpoint)
    {
        var peer = await ScriptedPeer.ConnectAsync(endpoint);
        await peer.HandshakeAsync(type);
        return peer;
    }

    internal static Task UntilReadyAsync(params ZmtpSocket?[] sockets) =>
        EventuallyAsync(() => sockets.All(socket => socket is null || socket.Endpoints.Any(e => e.Phase == EndpointPhase.Ready)));

    /// <summary>For states that nobody announces: asked again on the pool until it holds.</summary>
    internal static async Task EventuallyAsync(Func<bool> holds)
    {
        using var late = new CancellationTokenSource(Patience);
        using var turns = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!holds()) await turns.WaitForNextTickAsync(late.Token);
    }

    private static async Task<string> NextAsync(ValueTask<Message> receiving)
    {
        using var message = await receiving.AsTask().WaitAsync(Patience);
        return string.Join('|', Enumerable.Range(0, message.Count).Select(message.Text));
    }
}
