using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>IMMEDIATE, CONFLATE, LINGER and the high-water marks, where it can be beside libzmq in the same scene.</summary>
public class DeliveryOptionTests
{
    [Fact]
    public async Task Without_IMMEDIATE_messages_queue_up_to_the_mark_before_there_is_a_connection_and_with_it_none_does()
    {
        var endpoint = $"tcp://127.0.0.1:{FreePort.Take(1)[0]}";
        await using var queueing = new PushSocket(new ZmtpOptions { Immediate = false, SendHighWaterMark = 3, ReconnectMin = TimeSpan.FromMilliseconds(20), ReconnectMax = TimeSpan.FromMilliseconds(50) });
        Assert.False(queueing.TrySend(Message.Of("no endpoint")));
        queueing.Connect(endpoint);
        Assert.Equal(3, Fill(queueing, 10));
        await using var ready = new PushSocket();
        ready.Connect(endpoint);
        Assert.Equal(0, Fill(ready, 10));
        await using var libzmq = await LibzmqSocket.StartAsync("PUSH");
        await libzmq.SetAsync("SNDHWM", 3);
        await libzmq.ConnectAsync($"tcp://127.0.0.1:{FreePort.Take(1)[0]}");
        Assert.Equal(3, await libzmq.FloodAsync("x", 10));
        await using var immediate = await LibzmqSocket.StartAsync("PUSH");
        await immediate.SetAsync("IMMEDIATE", 1);
        await immediate.ConnectAsync($"tcp://127.0.0.1:{FreePort.Take(1)[0]}");
        Assert.Equal(0, await immediate.FloodAsync("x", 10));
        await using var pull = await LibzmqSocket.StartAsync("PULL");
        await pull.BindAsync(endpoint);
        for (var i = 0; i < 3; i++) Assert.Equal([$"{i}"], await pull.ReceiveAsync());
        await queueing.SendAsync(Message.Of("room again")).AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal(["room again"], await pull.ReceiveAsync());
    }

    [Fact]
    public async Task Without_IMMEDIATE_what_waits_survives_a_reconnect_and_a_cut_message_is_not_delivered()
    {
        using var listener = new ScriptedListener(receiveBuffer: 4096);
        await using var push = new PushSocket(new ZmtpOptions { Immediate = false, SendBuffer = 4096, ReconnectMin = TimeSpan.FromMilliseconds(20), ReconnectMax = TimeSpan.FromMilliseconds(50) });
        push.Connect(listener.Endpoint);
        var body = new string('x', 50_000);
        for (var i = 0; i < 20; i++) Assert.True(push.TrySend(Message.Of($"{i}", body)));
        var first = await listener.AcceptAsync("PULL");
        Assert.Equal("0", System.Text.Encoding.UTF8.GetString((await first.ReceiveMessageAsync())[0]));
        first.Reset();
        await using var second = await listener.AcceptAsync("PULL");
        // What was handed to the connection is lost with it, as in libzmq; nothing that comes is cut, doubled or out of order.
        var numbers = new List<int>();
        while (numbers.LastOrDefault() < 19)
        {
            var frames = await second.ReceiveMessageAsync();
            Assert.Equal((2, body.Length), (frames.Length, frames[1].Length));
            numbers.Add(int.Parse(System.Text.Encoding.UTF8.GetString(frames[0]), System.Globalization.CultureInfo.InvariantCulture));
        }

        Assert.Equal(Enumerable.Range(numbers[0], 20 - numbers[0]), numbers);
        Assert.InRange(numbers[0], 1, 5);
    }

    [Fact]
    public async Task Lingering_waits_for_a_connection_that_is_still_to_come()
    {
        var endpoint = $"tcp://127.0.0.1:{FreePort.Take(1)[0]}";
        var push = new PushSocket(new ZmtpOptions { Immediate = false, Linger = Timeout.InfiniteTimeSpan, ReconnectMin = TimeSpan.FromMilliseconds(20), ReconnectMax = TimeSpan.FromMilliseconds(50) });
        push.Connect(endpoint);
        await push.SendAsync(Message.Of("last words"));
        var closing = push.DisposeAsync().AsTask();
        Assert.False(closing.IsCompleted);
        await using var pull = await LibzmqSocket.StartAsync("PULL");
        await pull.BindAsync(endpoint);
        Assert.Equal(["last words"], await pull.ReceiveAsync());
        await closing.WaitAsync(ScriptedPeer.Patience);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Taking_an_endpoint_away_lingers_for_what_is_queued(bool binds)
    {
        using var listener = new ScriptedListener(receiveBuffer: 4096);
        await using var push = new PushSocket(new ZmtpOptions { SendBuffer = 4096, Linger = TimeSpan.FromSeconds(20) });
        var endpoint = listener.Endpoint;
        ScriptedPeer peer;
        if (binds)
        {
            endpoint = push.Bind("tcp://127.0.0.1:*");
            peer = await ScriptedPeer.ConnectAsync(endpoint, receiveBuffer: 4096);
            await peer.HandshakeAsync("PULL");
        }
        else
        {
            push.Connect(endpoint);
            peer = await listener.AcceptAsync("PULL");
        }

        var body = new string('x', 50_000);
        for (var i = 0; i < 20; i++) await push.SendAsync(Message.Of($"{i}", body)).AsTask().WaitAsync(ScriptedPeer.Patience);
        var leaving = binds ? push.UnbindAsync(endpoint) : push.DisconnectAsync(endpoint);
        Assert.False(push.TrySend(Message.Of("too late")));
        for (var i = 0; i < 20; i++) Assert.Equal(body.Length, (await peer.ReceiveMessageAsync())[1].Length);
        Assert.True(await leaving.WaitAsync(ScriptedPeer.Patience));
        Assert.Empty(await peer.ReceiveToEndAsync());
        Assert.Empty(push.Endpoints);
        await peer.DisposeAsync();
    }

    [Fact]
    public async Task A_linger_of_nothing_drops_what_is_queued()
    {
        using var listener = new ScriptedListener(receiveBuffer: 4096);
        await using var push = new PushSocket(new ZmtpOptions { SendBuffer = 4096, Linger = TimeSpan.Zero });
        push.Connect(listener.Endpoint);
        await using var peer = await listener.AcceptAsync("PULL");
        for (var i = 0; i < 20; i++) await push.SendAsync(Message.Of(new string('x', 100_000))).AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.True(await push.DisconnectAsync(listener.Endpoint).WaitAsync(ScriptedPeer.Patience));
        Assert.True((await peer.ReceiveToEndAsync()).Length < 2_000_000);
    }

    [Theory]
    [InlineData("PUSH")]
    [InlineData("PUB")]
    public async Task Conflate_keeps_the_last_message_for_a_peer_that_does_not_read(string type)
    {
        var options = new ZmtpOptions { Conflate = true, SendBuffer = 4096 };
        await using var push = new PushSocket(options);
        await using var pub = new PubSocket(options);
        await using var peer = await ScriptedPeer.ConnectAsync(type == "PUSH" ? push.Bind("tcp://127.0.0.1:*") : pub.Bind("tcp://127.0.0.1:*"), receiveBuffer: 4096);
        await peer.HandshakeAsync(type == "PUSH" ? "PULL" : "SUB");
        if (type == "PUB") await peer.SendAsync(ZmtpBytes.Subscribe(""));
        var filling = new string('x', 20_000);
        Func<string, ValueTask<bool>> send = type == "PUSH"
            ? async text => { await push.SendAsync(Message.Of(text + filling)); return true; }
            : text => new(pub.Send(Message.Of(text + filling)) > 0);
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        while (!await send("first")) late.Token.ThrowIfCancellationRequested();
        for (var i = 0; i < 500; i++) await send($"{i:D5}");
        var received = 0;
        string last;
        do
        {
            last = System.Text.Encoding.UTF8.GetString((await peer.ReceiveMessageAsync())[0])[..5];
            received++;
        }
        while (last != "00499");
        Assert.InRange(received, 1, 450);
    }

    [Fact]
    public async Task Conflate_keeps_the_last_message_that_was_not_taken()
    {
        await using var pull = new PullSocket(new ZmtpOptions { Conflate = true });
        await using var push = await LibzmqSocket.StartAsync("PUSH");
        await push.ConnectAsync(pull.Bind("tcp://127.0.0.1:*"));
        await push.NumbersAsync(1_000);
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        while (pull.Endpoints.Sum(state => state.Peer?.MessagesIn ?? 0) < 1_000)
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.True(pull.TryReceive(out var message));
        using (message) Assert.Equal("999", message.Text(0));
        Assert.False(pull.TryReceive(out _));
    }

    [Fact]
    public async Task A_receive_and_a_send_time_out_when_the_option_says_so()
    {
        await using var pull = new PullSocket(new ZmtpOptions { ReceiveTimeout = TimeSpan.Zero });
        Assert.Contains("ReceiveTimeout", (await Assert.ThrowsAsync<TimeoutException>(() => pull.ReceiveAsync().AsTask())).Message, StringComparison.Ordinal);
        var time = new ManualTimeProvider();
        await using var push = new PushSocket(new ZmtpOptions { SendTimeout = TimeSpan.FromSeconds(2), Time = time });
        using var message = Message.Of("to nobody");
        var sending = push.SendAsync(message).AsTask();
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(sending.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Contains("SendTimeout", (await Assert.ThrowsAsync<TimeoutException>(() => sending)).Message, StringComparison.Ordinal);
        Assert.Equal("to nobody", message.Text(0));
    }

    private static int Fill(PushSocket push, int most)
    {
        for (var i = 0; i < most; i++)
        {
            if (!push.TrySend(Message.Of($"{i}"))) return i;
        }

        return most;
    }
}
