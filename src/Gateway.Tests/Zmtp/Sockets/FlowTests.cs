using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>High-water marks, turns, and what happens at the end of a socket.</summary>
public class FlowTests
{
    [Fact]
    [Trait("Proves", "libzmq#1362")]
    [Trait("Proves", "libzmq#2161")]
    public async Task Everything_published_is_read_or_counted_as_dropped()
    {
        await using var socket = new PubSocket(new ZmtpOptions { SendHighWaterMark = 100, SendBuffer = 4096 });
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        await using var slow = await ScriptedPeer.ConnectAsync(endpoint, receiveBuffer: 4096);
        await slow.HandshakeAsync("SUB");
        await slow.SendAsync(ZmtpBytes.Subscribe(""));
        // The subscription has arrived when the first message goes to somebody.
        while (socket.Send(Message.Of("begin")) == 0) await Task.Yield();
        var sent = 1L;
        for (var i = 0; i < 5_000; i++) sent += socket.Send(Message.Of(new byte[1000], BitConverter.GetBytes(i)));
        Assert.Equal(5_001, sent + socket.Dropped);
        Assert.True(socket.Dropped > 0, "the subscriber was not slow");
        Assert.Equal("begin"u8.ToArray(), (await slow.ReceiveMessageAsync())[0]);
        var last = -1;
        for (var read = 1L; read < sent; read++)
        {
            var message = await slow.ReceiveMessageAsync();
            Assert.Equal((2, 1000), (message.Length, message[0].Length));
            Assert.True(BitConverter.ToInt32(message[1]) > last);
            last = BitConverter.ToInt32(message[1]);
        }
    }

    [Fact]
    public async Task A_receiver_that_does_not_take_stops_the_sender_and_loses_nothing()
    {
        await using var pull = new PullSocket(new ZmtpOptions { ReceiveHighWaterMark = 10, ReceiveBuffer = 4096 });
        var endpoint = pull.Bind("tcp://127.0.0.1:*");
        await using var push = new PushSocket(new ZmtpOptions { SendHighWaterMark = 10, SendBuffer = 4096 });
        push.Connect(endpoint);
        // 40 MB at the most: what the system's buffers and both marks hold is far less, so one of the messages has to wait.
        var (sent, waiting) = (0, Task.CompletedTask);
        while (sent < 4_000 && waiting.IsCompleted)
        {
            waiting = push.SendAsync(Message.Of($"{sent}", new string('x', 10_000))).AsTask();
            await Task.WhenAny(waiting, waiting.WaitAsync(TimeSpan.FromSeconds(1)));
            if (waiting.IsCompleted) sent++;
        }

        Assert.InRange(sent, 1, 3_999);
        for (var i = 0; i <= sent; i++)
        {
            using var message = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal($"{i}", message.Text(0));
        }

        await waiting.WaitAsync(ScriptedPeer.Patience);
    }

    [Fact]
    public async Task Messages_go_to_peers_in_turn_and_come_from_peers_in_turn()
    {
        await using var push = new PushSocket();
        await using var pull = new PullSocket();
        var (out1, in1) = (push.Bind("tcp://127.0.0.1:*"), pull.Bind("tcp://127.0.0.1:*"));
        var workers = new List<ScriptedPeer>();
        for (var i = 0; i < 3; i++)
        {
            workers.Add(await ScriptedPeer.ConnectAsync(out1));
            await workers[i].HandshakeAsync("PULL");
        }

        await Spin(() => push.Endpoints.Count == 4);
        for (var i = 0; i < 9; i++) Assert.True(push.TrySend(Message.Of("turn")));
        foreach (var worker in workers) await worker.ExpectAsync(ZmtpBytes.Concat([.. Enumerable.Repeat(ZmtpBytes.Message("turn"), 3)]));

        var sources = new List<ScriptedPeer>();
        for (var i = 0; i < 3; i++)
        {
            sources.Add(await ScriptedPeer.ConnectAsync(in1));
            await sources[i].HandshakeAsync("PUSH");
            await sources[i].SendAsync(ZmtpBytes.Concat([.. Enumerable.Repeat(ZmtpBytes.Message($"{i}"), 5)]), ZmtpBytes.Ping());
            await sources[i].ExpectAsync(ZmtpBytes.Pong());
        }

        var order = new List<string>();
        while (pull.TryReceive(out var message))
        {
            order.Add(message.Text(0));
            message.Dispose();
        }

        Assert.Equal(Enumerable.Range(0, 15).Select(i => $"{i % 3}"), order);
        foreach (var peer in workers.Concat(sources)) await peer.DisposeAsync();
    }

    [Fact]
    public async Task Several_receivers_of_one_socket_get_every_message_once()
    {
        await using var pull = new PullSocket(new ZmtpOptions { ReceiveHighWaterMark = 3 });
        await using var push = new PushSocket();
        push.Connect(pull.Bind("inproc://several-receivers"));
        var got = new int[4_000];
        var receiving = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < got.Length / 4; i++)
            {
                using var message = await pull.ReceiveAsync();
                Interlocked.Increment(ref got[int.Parse(message.Text(0), null)]);
            }
        })).ToArray();
        for (var i = 0; i < got.Length; i++) await push.SendAsync(Message.Of($"{i}")).AsTask().WaitAsync(ScriptedPeer.Patience);
        await Task.WhenAll(receiving).WaitAsync(ScriptedPeer.Patience);
        Assert.All(got, count => Assert.Equal(1, count));
    }

    [Fact]
    public async Task A_closed_socket_ends_those_who_wait()
    {
        var socket = new DealerSocket();
        var (sending, receiving) = (socket.SendAsync(Message.Of("to nobody")).AsTask(), socket.ReceiveAsync().AsTask());
        await socket.DisposeAsync();
        await socket.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => sending.WaitAsync(ScriptedPeer.Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => receiving.WaitAsync(ScriptedPeer.Patience));
        Assert.Throws<ObjectDisposedException>(() => socket.Bind("tcp://127.0.0.1:*"));
    }

    [Fact]
    public async Task Closing_gives_what_is_queued_the_linger_time()
    {
        using var listener = new ScriptedListener(receiveBuffer: 4096);
        var socket = new PushSocket(new ZmtpOptions { Linger = TimeSpan.FromSeconds(30), SendBuffer = 4096 });
        socket.Connect(listener.Endpoint);
        await using var peer = await listener.AcceptAsync("PULL");
        for (var i = 0; i < 100; i++) await socket.SendAsync(Message.Of(new byte[10_000])).AsTask().WaitAsync(ScriptedPeer.Patience);
        var closing = socket.DisposeAsync().AsTask();
        for (var i = 0; i < 100; i++) Assert.Equal(10_000, (await peer.ReceiveMessageAsync())[0].Length);
        await closing.WaitAsync(ScriptedPeer.Patience);
        Assert.Empty(await peer.ReceiveToEndAsync());
    }

    [Fact]
    public async Task The_late_reply_of_a_request_that_was_given_up_answers_nobody()
    {
        using var listener = new ScriptedListener();
        await using var socket = new ReqSocket(new ZmtpOptions { ReconnectMin = TimeSpan.FromMilliseconds(1) });
        socket.Connect(listener.Endpoint);
        using var impatient = new CancellationTokenSource();
        await using (var peer = await listener.AcceptAsync("REP"))
        {
            var given = socket.RequestAsync(Message.Of("first"), impatient.Token).AsTask();
            await peer.ExpectAsync(ZmtpBytes.Message("", "first"));
            await impatient.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => given.WaitAsync(ScriptedPeer.Patience));
            Assert.Empty(await peer.ReceiveToEndAsync());
        }

        var asked = socket.RequestAsync(Message.Of("second")).AsTask();
        await using var again = await listener.AcceptAsync("REP");
        await again.ExpectAsync(ZmtpBytes.Message("", "second"));
        await again.SendAsync(ZmtpBytes.Message("no envelope"), ZmtpBytes.Message("", "answer", "two"));
        using var reply = await asked.WaitAsync(ScriptedPeer.Patience);
        Assert.Equal(("answer", "two"), (reply.Text(0), reply.Text(1)));
    }

    private static async Task Spin(Func<bool> condition)
    {
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        while (!condition())
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
