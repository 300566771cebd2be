using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>Semantics at the limits: nobody is starved, nothing is torn, every message is accounted for.</summary>
public class LimitTests
{
    [Theory]
    [InlineData("PULL", "PUSH", "PUSH")]
    [InlineData("DEALER", "DEALER", "DEALER")]
    [InlineData("ROUTER", "DEALER", "DEALER")]
    [InlineData("SUB", "XPUB", "PUB")]
    public async Task A_peer_that_floods_does_not_keep_another_ones_messages_waiting(string ours, string flooding, string theirs)
    {
        await using var socket = Receiver(ours);
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        await using var flood = await LibzmqSocket.StartAsync(flooding);
        await flood.SetAsync("SNDHWM", 0);
        await flood.ConnectAsync(endpoint);
        // Before the subscription has arrived a publisher's messages go nowhere.
        if (flooding == "XPUB") await flood.ReceiveAsync();
        await flood.NumbersAsync(20_000);
        await UntilAsync(() => In() >= 500);
        await using var modest = await ScriptedPeer.ConnectAsync(endpoint);
        await modest.HandshakeAsync(theirs);
        for (var i = 0; i < 10; i++) await modest.SendAsync(ZmtpBytes.Message($"modest {i}"));
        await UntilAsync(() => socket.Endpoints.Any(state => state.Peer?.MessagesIn == 10));
        // One of each in turn: after twenty all of the modest peer's ten are there, in their order.
        var modestly = new List<string>();
        for (var i = 0; i < 20; i++)
        {
            using var message = await ReceiveAsync(socket).WaitAsync(ScriptedPeer.Patience);
            var text = message.Text(message.Count - 1);
            if (text.StartsWith("modest", StringComparison.Ordinal)) modestly.Add(text);
        }

        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"modest {i}"), modestly);

        long In() => socket.Endpoints.Sum(state => state.Peer?.MessagesIn ?? 0);
    }

    [Fact]
    public async Task Every_message_that_was_written_is_read_waiting_or_counted_as_lost()
    {
        await using var pub = new PubSocket(new ZmtpOptions { SendHighWaterMark = 50, SendBuffer = 4096 });
        await using var peer = await ScriptedPeer.ConnectAsync(pub.Bind("tcp://127.0.0.1:*"), receiveBuffer: 4096);
        await peer.HandshakeAsync("SUB");
        await peer.SendAsync(ZmtpBytes.Subscribe(""));
        await UntilAsync(() => pub.Send(Message.Of("begin")) == 1);
        var written = 0;
        for (var i = 0; i < 500; i++) written += pub.Send(Message.Of(new string('x', 5_000)));
        Assert.Equal(500 - written, pub.Dropped);
        Assert.InRange(pub.Dropped, 1, 499);
        Assert.Equal("begin", System.Text.Encoding.UTF8.GetString((await peer.ReceiveMessageAsync())[0]));
        // What was written waits, in the queue or in the system, and is read to the last one.
        for (var i = 0; i < written; i++) Assert.Equal(5_000, (await peer.ReceiveMessageAsync())[0].Length);
        Assert.Equal(written + 1, pub.Endpoints.Single(state => state.Role == EndpointRole.Accepted).Peer!.MessagesOut);
        await UntilAsync(() => pub.Send(Message.Of("end")) == 1);
        Assert.Equal("end", System.Text.Encoding.UTF8.GetString((await peer.ReceiveMessageAsync())[0]));
    }

    [Fact]
    public async Task Ten_thousand_subscriptions_reach_a_real_XPUB_again_and_again()
    {
        await using var sub = new SubSocket(new ZmtpOptions { ReconnectMin = TimeSpan.FromMilliseconds(20), ReconnectMax = TimeSpan.FromMilliseconds(100) });
        for (var i = 0; i < 10_000; i++) sub.Subscribe($"topic {i}");
        var endpoint = $"tcp://127.0.0.1:{FreePort.Take(1)[0]}";
        sub.Connect(endpoint);
        for (var round = 0; round < 3; round++)
        {
            await using var xpub = await LibzmqSocket.StartAsync("XPUB");
            await xpub.SetAsync("RCVHWM", 0);
            await xpub.BindAsync(endpoint);
            Assert.Equal(10_000, await xpub.CountAsync(2_000));
            await xpub.SendAsync("topic 9999");
            using var message = await sub.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal("topic 9999", message.Text(0));
        }
    }

    [Fact]
    public async Task What_was_published_before_a_subscriber_came_is_not_for_it()
    {
        await using var xpub = new XPubSocket();
        var endpoint = xpub.Bind("tcp://127.0.0.1:*");
        Assert.Equal(0, xpub.Send(Message.Of("too early")));
        await using var late = await LibzmqSocket.StartAsync("SUB");
        await late.SetAsync("SUBSCRIBE", "");
        await late.ConnectAsync(endpoint);
        using var subscription = await xpub.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal(1, xpub.Send(Message.Of("in time")));
        Assert.Equal(["in time"], await late.ReceiveAsync());
    }

    [Fact]
    public async Task A_PAIR_refuses_a_second_peer_tells_of_it_and_takes_the_next_one_when_the_first_is_gone()
    {
        await using var pair = new PairSocket();
        using var monitor = pair.Monitor();
        var endpoint = pair.Bind("tcp://127.0.0.1:*");
        var first = await ScriptedPeer.ConnectAsync(endpoint);
        await first.HandshakeAsync("PAIR");
        await first.SendAsync(ZmtpBytes.Message("first"));
        using (await pair.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience))
        {
            await using var second = await ScriptedPeer.ConnectAsync(endpoint);
            await second.HandshakeAsync("PAIR");
            Assert.Empty(await second.ReceiveToEndAsync());
        }

        Assert.Equal(1, pair.RefusedPeers);
        await first.DisposeAsync();
        await foreach (var e in monitor)
        {
            // The refused one is told of first.
            if (e.Kind == SocketEventKind.Disconnected && e.Error is null) break;
        }

        await using var third = await LibzmqSocket.StartAsync("PAIR");
        await third.ConnectAsync(endpoint);
        await third.SendAsync("third");
        using var message = await pair.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("third", message.Text(0));
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        while (!condition())
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static ZmtpSocket Receiver(string type)
    {
        var options = new ZmtpOptions { ReceiveHighWaterMark = 500 };
        if (type == "PULL") return new PullSocket(options);
        if (type == "DEALER") return new DealerSocket(options);
        if (type == "ROUTER") return new RouterSocket(options);
        var sub = new SubSocket(options);
        sub.Subscribe("");
        return sub;
    }

    private static Task<Message> ReceiveAsync(ZmtpSocket socket) => socket switch
    {
        PullSocket pull => pull.ReceiveAsync().AsTask(),
        DealerSocket dealer => dealer.ReceiveAsync().AsTask(),
        RouterSocket router => router.ReceiveAsync().AsTask(),
        _ => ((SubSocket)socket).ReceiveAsync().AsTask(),
    };
}
