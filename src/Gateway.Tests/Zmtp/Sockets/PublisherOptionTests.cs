using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>The options of PUB, XPUB and SUB. What libzmq does in the same scene is measured beside it.</summary>
public class PublisherOptionTests
{
    /// <summary>A subscribes twice, B once, A takes back twice, B is lost. A second cancellation of A takes nothing back; libzmq tells of it all the same, ours only where everything is told.</summary>
    [Theory]
    [InlineData("", "+T -T", "+T -T -T")]
    [InlineData("XPUB_VERBOSE", "+T +T +T -T", "+T +T +T -T -T")]
    [InlineData("XPUB_VERBOSER", "+T +T +T -T -T -T", "+T +T +T -T -T -T")]
    public async Task An_XPUB_tells_of_subscriptions_as_its_option_says(string option, string ours, string libzmqs)
    {
        await using var socket = new XPubSocket(new ZmtpOptions { XPubVerbose = option == "XPUB_VERBOSE", XPubVerboser = option == "XPUB_VERBOSER" });
        Assert.Equal(ours, await PlayAsync(socket.Bind("tcp://127.0.0.1:*"), ours.Split(' ').Length, _ =>
        {
            if (!socket.TryReceive(out var message)) return Task.FromResult<string?>(null);
            using (message) return Task.FromResult<string?>(message.Text(0));
        }));
        await using var libzmq = await LibzmqSocket.StartAsync("XPUB");
        if (option.Length > 0) await libzmq.SetAsync(option, 1);
        Assert.Equal(libzmqs, await PlayAsync(await libzmq.BindAsync(), libzmqs.Split(' ').Length, async patience => (await libzmq.TryReceiveAsync(patience))?[0]));
    }

    [Fact]
    public async Task Manual_leaves_it_to_the_application_what_a_peer_is_subscribed_to()
    {
        await using var xpub = new XPubSocket(new ZmtpOptions { XPubManual = true });
        var endpoint = xpub.Bind("tcp://127.0.0.1:*");
        await using var sub = await LibzmqSocket.StartAsync("SUB");
        await sub.SetAsync("SUBSCRIBE", "");
        await sub.ConnectAsync(endpoint);
        Assert.Equal("+", await NextAsync(xpub));
        Assert.Equal(0, xpub.Send(Message.Of("nobody is subscribed")));
        xpub.Subscribe("B"u8);
        Assert.Equal(0, xpub.Send(Message.Of("A1")));
        Assert.Equal(1, xpub.Send(Message.Of("B1")));
        Assert.Equal(["B1"], await sub.ReceiveAsync());
        xpub.Unsubscribe("B"u8);
        Assert.Equal(0, xpub.Send(Message.Of("B2")));
        await sub.DisposeAsync();
        Assert.Equal("-", await NextAsync(xpub));
        await using var plain = new XPubSocket();
        Assert.Throws<InvalidOperationException>(() => plain.Subscribe("A"u8));
    }

    [Fact]
    public async Task Manual_last_value_sends_the_next_message_to_the_last_subscriber_only()
    {
        await using var xpub = new XPubSocket(new ZmtpOptions { XPubManualLastValue = true });
        var endpoint = xpub.Bind("tcp://127.0.0.1:*");
        await using var first = await LibzmqSocket.StartAsync("SUB");
        await first.SetAsync("SUBSCRIBE", "T");
        await first.ConnectAsync(endpoint);
        Assert.Equal("+T", await NextAsync(xpub));
        xpub.Subscribe("T"u8);
        Assert.Equal(1, xpub.Send(Message.Of("T for the first")));
        await using var second = await LibzmqSocket.StartAsync("SUB");
        await second.SetAsync("SUBSCRIBE", "T");
        await second.ConnectAsync(endpoint);
        Assert.Equal("+T", await NextAsync(xpub));
        xpub.Subscribe("T"u8);
        Assert.Equal(1, xpub.Send(Message.Of("T for the second")));
        Assert.Equal(2, xpub.Send(Message.Of("T for both")));
        Assert.Equal(["T for the first"], await first.ReceiveAsync());
        Assert.Equal(["T for both"], await first.ReceiveAsync());
        Assert.Equal(["T for the second"], await second.ReceiveAsync());
        Assert.Equal(["T for both"], await second.ReceiveAsync());
    }

    [Fact]
    public async Task A_welcome_message_comes_first_to_those_who_subscribed_to_it()
    {
        await using var pub = new PubSocket(new ZmtpOptions { WelcomeMessage = "W"u8.ToArray() });
        var endpoint = pub.Bind("tcp://127.0.0.1:*");
        await using var sub = await LibzmqSocket.StartAsync("SUB");
        await sub.SetAsync("SUBSCRIBE", "W");
        await sub.ConnectAsync(endpoint);
        Assert.Equal(["W"], await sub.ReceiveAsync());
    }

    [Fact]
    public async Task Inverted_matching_delivers_what_does_not_match()
    {
        await using var xpub = new XPubSocket(new ZmtpOptions { InvertMatching = true });
        var endpoint = xpub.Bind("tcp://127.0.0.1:*");
        await using var libzmq = await LibzmqSocket.StartAsync("SUB");
        await libzmq.SetAsync("INVERT_MATCHING", 1);
        await libzmq.SetAsync("SUBSCRIBE", "A");
        await libzmq.ConnectAsync(endpoint);
        await using var ours = new SubSocket(new ZmtpOptions { InvertMatching = true });
        ours.Subscribe("A");
        Assert.Equal("+A", await NextAsync(xpub));
        ours.Connect(endpoint);
        // The topic has a holder: nothing is told, so what is sent tells when it is there.
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        while (xpub.Send(Message.Of("B")) < 2 || xpub.Send(Message.Of("A")) > 0)
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.Equal(["B"], await libzmq.ReceiveAsync());
        using var message = await ours.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("B", message.Text(0));
    }

    [Fact]
    public async Task No_drop_fails_or_waits_while_one_subscriber_is_full_and_nobody_misses_a_message()
    {
        await using var pub = new PubSocket(new ZmtpOptions { XPubNoDrop = true, SendHighWaterMark = 5, SendBuffer = 4096 });
        var endpoint = pub.Bind("tcp://127.0.0.1:*");
        await using var slow = await ScriptedPeer.ConnectAsync(endpoint, receiveBuffer: 4096);
        await slow.HandshakeAsync("SUB");
        await slow.SendAsync(ZmtpBytes.Subscribe("T"));
        var body = new string('x', 10_000);
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        while (pub.Send(Message.Of("T", body)) == 0)
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        var sent = 1;
        var message = Message.Of("T", body);
        while (pub.TrySend(message))
        {
            sent++;
            message = Message.Of("T", body);
        }

        Assert.Throws<ZmtpException>(() => pub.Send(message));
        // Another topic concerns nobody who is full.
        Assert.Equal(0, pub.Send(Message.Of("other")));
        var waiting = pub.SendOrWaitAsync(message).AsTask();
        Assert.False(waiting.IsCompleted);
        for (var i = 0; i < sent + 1; i++) Assert.Equal(2, (await slow.ReceiveMessageAsync()).Length);
        Assert.Equal(1, await waiting.WaitAsync(ScriptedPeer.Patience));
        Assert.Equal(0, pub.Dropped);
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(0, 600)]
    public async Task Subscriptions_of_one_peer_are_bounded_in_number_and_in_bytes(int number, int bytes)
    {
        await using var pub = new PubSocket(number > 0 ? new ZmtpOptions { MaxSubscriptions = number } : new ZmtpOptions { MaxSubscriptionBytes = bytes });
        await using var peer = await ScriptedPeer.ConnectAsync(pub.Bind("tcp://127.0.0.1:*"));
        using var monitor = pub.Monitor();
        await peer.HandshakeAsync("SUB");
        // With 128 bytes for each: 136, 272, 408, 544, and the fifth is too much.
        foreach (var topic in (string[])["AAAAAAAA", "BBBBBBBB", "CCCCCCCC", "DDDDDDDD", "EEEEEEEE"]) await peer.SendAsync(ZmtpBytes.Subscribe(topic));
        Assert.Empty(await peer.ReceiveToEndAsync());
        await foreach (var e in monitor)
        {
            if (e.Kind != SocketEventKind.Disconnected) continue;
            Assert.Equal("TooManySubscriptions", e.Reason);
            break;
        }
    }

    private static async Task<string> PlayAsync(string endpoint, int count, Func<int, Task<string?>> next)
    {
        await using var a = await ScriptedPeer.ConnectAsync(endpoint);
        await a.HandshakeAsync("SUB");
        var b = await ScriptedPeer.ConnectAsync(endpoint);
        await b.HandshakeAsync("SUB");
        var told = new List<string>();
        // Between two peers the order is nobody's, so each is done with before the other begins: its PONG comes after what it had sent, and
        // libzmq looks at what came only when it is asked for it.
        await a.SendAsync(ZmtpBytes.Subscribe("T"), ZmtpBytes.Subscribe("T"), ZmtpBytes.Ping(context: "a"));
        await a.ExpectAsync(ZmtpBytes.Pong("a"));
        await DrainAsync();
        await b.SendAsync(ZmtpBytes.Subscribe("T"), ZmtpBytes.Ping(context: "b"));
        await b.ExpectAsync(ZmtpBytes.Pong("b"));
        await DrainAsync();
        await a.SendAsync(ZmtpBytes.Cancel("T"), ZmtpBytes.Cancel("T"), ZmtpBytes.Ping(context: "c"));
        await a.ExpectAsync(ZmtpBytes.Pong("c"));
        await DrainAsync();
        await b.DisposeAsync();
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        while (told.Count < count)
        {
            late.Token.ThrowIfCancellationRequested();
            await DrainAsync();
            await Task.Yield();
        }

        return string.Join(' ', told);

        async Task DrainAsync()
        {
            while (await next(100) is { } notification) told.Add(Words(notification));
        }
    }

    private static async Task<string> NextAsync(XPubSocket socket)
    {
        using var message = await socket.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        return Words(message.Text(0));
    }

    private static string Words(string notification) => (notification[0] == 1 ? "+" : "-") + notification[1..];
}
