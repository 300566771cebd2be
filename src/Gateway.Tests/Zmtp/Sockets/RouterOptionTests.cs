using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>ROUTER's options, with libzmq's sockets as the peers.</summary>
public class RouterOptionTests
{
    private static readonly string[] Identities = ["A", "B"];

    [Fact]
    public async Task Mandatory_fails_for_an_unknown_peer_where_the_default_drops()
    {
        await using var dropping = new RouterSocket();
        Assert.False(dropping.Send(Message.Of("nobody", "hello")));
        Assert.Equal(1, dropping.Dropped);
        await using var failing = new RouterSocket(new ZmtpOptions { RouterMandatory = true });
        using var message = Message.Of("nobody", "hello");
        Assert.Contains("6E6F626F6479", Assert.Throws<ZmtpUnreachableException>(() => failing.TrySend(message)).Message, StringComparison.Ordinal);
        Assert.Throws<ZmtpUnreachableException>(() => failing.Send(message));
        Assert.Equal("hello", message.Text(1));
        await using var libzmq = await LibzmqSocket.StartAsync("ROUTER");
        Assert.Null(await libzmq.TrySendAsync("nobody", "hello"));
        await libzmq.SetAsync("ROUTER_MANDATORY", 1);
        Assert.Equal("EHOSTUNREACH", await libzmq.TrySendAsync("nobody", "hello"));
    }

    [Fact]
    public async Task Mandatory_refuses_a_full_peer_and_waits_for_its_room_or_the_send_timeout()
    {
        var time = new ManualTimeProvider();
        await using var router = new RouterSocket(new ZmtpOptions { RouterMandatory = true, SendHighWaterMark = 5, SendBuffer = 4096, HandshakeTimeout = TimeSpan.Zero, SendTimeout = TimeSpan.FromSeconds(3), Time = time });
        await using var peer = await ScriptedPeer.ConnectAsync(router.Bind("tcp://127.0.0.1:*"), receiveBuffer: 4096);
        await peer.HandshakeAsync("DEALER", identity: "slow"u8.ToArray());
        await peer.SendAsync(ZmtpBytes.Message("I am here"));
        using var first = await router.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        var body = new string('x', 10_000);
        var sent = 0;
        while (true)
        {
            var message = Message.Of("slow", body);
            if (router.TrySend(message))
            {
                sent++;
                continue;
            }

            Assert.Throws<ZmtpException>(() => router.Send(message));
            var waiting = router.SendOrWaitAsync(message).AsTask();
            Assert.False(waiting.IsCompleted);
            time.Advance(TimeSpan.FromSeconds(3));
            Assert.Contains("SendTimeout", (await Assert.ThrowsAsync<TimeoutException>(() => waiting.WaitAsync(ScriptedPeer.Patience))).Message, StringComparison.Ordinal);
            var later = router.SendOrWaitAsync(message).AsTask();
            for (var i = 0; i < sent + 1; i++) Assert.Equal(body.Length, (await peer.ReceiveMessageAsync())[0].Length);
            await later.WaitAsync(ScriptedPeer.Patience);
            break;
        }

        Assert.Equal(0, router.Dropped);
    }

    [Fact]
    public async Task A_second_peer_with_an_identity_in_use_is_refused_counted_and_told()
    {
        await using var router = new RouterSocket();
        using var monitor = router.Monitor();
        var endpoint = router.Bind("tcp://127.0.0.1:*");
        await using var first = await LibzmqSocket.StartAsync("DEALER");
        await first.SetAsync("ROUTING_ID", "twin");
        await first.ConnectAsync(endpoint);
        await first.SendAsync("first");
        using (var message = await router.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Assert.Equal("first", message.Text(1));
        await using var second = await ScriptedPeer.ConnectAsync(endpoint);
        await second.HandshakeAsync("DEALER", identity: "twin"u8.ToArray());
        Assert.Empty(await second.ReceiveToEndAsync());
        await foreach (var e in monitor)
        {
            if (e.Kind != SocketEventKind.PeerRefused) continue;
            Assert.Contains("identity", e.Error!.Message, StringComparison.Ordinal);
            break;
        }

        Assert.Equal(1, router.RefusedPeers);
        Assert.True(router.Send(Message.Of("twin", "still the first")));
        Assert.Equal(["still the first"], await first.ReceiveAsync());
    }

    [Fact]
    public async Task Handover_gives_the_identity_to_the_newcomer_and_still_delivers_what_the_old_peer_had_sent()
    {
        await using var router = new RouterSocket(new ZmtpOptions { RouterHandover = true });
        var endpoint = router.Bind("tcp://127.0.0.1:*");
        await using var old = await LibzmqSocket.StartAsync("DEALER");
        await old.SetAsync("ROUTING_ID", "twin");
        await old.SetAsync("RECONNECT_IVL", -1);
        await old.ConnectAsync(endpoint);
        await old.SendAsync("seen");
        await old.SendAsync("old");
        using (var message = await router.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Assert.Equal("seen", message.Text(1));
        await Until(() => router.Endpoints.Any(state => state.Peer?.MessagesIn == 2));
        await using var newcomer = await LibzmqSocket.StartAsync("DEALER");
        await newcomer.SetAsync("ROUTING_ID", "twin");
        await newcomer.ConnectAsync(endpoint);
        await newcomer.SendAsync("new");
        string[] expected = ["old", "new"];
        foreach (var text in expected)
        {
            using var message = await router.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal(("twin", text), (message.Text(0), message.Text(1)));
        }

        Assert.True(router.Send(Message.Of("twin", "hello")));
        Assert.Equal(["hello"], await newcomer.ReceiveAsync());
        Assert.Equal(0, router.RefusedPeers);
    }

    [Fact]
    public async Task Handover_never_happens_across_authenticated_users()
    {
        await using var router = new RouterSocket(new ZmtpOptions { RouterHandover = true, PlainServer = true, Authenticator = new AnyUser() });
        var endpoint = router.Bind("tcp://127.0.0.1:*");
        await using var alice = Dealer("alice");
        alice.Connect(endpoint);
        await alice.SendAsync(Message.Of("from alice"));
        using (var message = await router.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Assert.Equal("alice", message.Peer!.UserId);
        await using var mallory = Dealer("mallory");
        using var monitor = router.Monitor();
        mallory.Connect(endpoint);
        await foreach (var e in monitor)
        {
            if (e.Kind != SocketEventKind.PeerRefused) continue;
            Assert.Contains("another user", e.Error!.Message, StringComparison.Ordinal);
            break;
        }

        Assert.True(router.Send(Message.Of("same", "for alice")));
        using var reply = await alice.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("for alice", reply.Text(0));

        static DealerSocket Dealer(string user) => new(new ZmtpOptions { PlainUserName = user, Identity = "same"u8.ToArray() });
    }

    [Fact]
    public async Task Notify_tells_of_peers_that_come_and_go()
    {
        await using var router = new RouterSocket(new ZmtpOptions { RouterNotify = RouterNotify.Connect | RouterNotify.Disconnect });
        var endpoint = router.Bind("tcp://127.0.0.1:*");
        var dealer = await LibzmqSocket.StartAsync("DEALER");
        await dealer.SetAsync("ROUTING_ID", "D");
        await dealer.ConnectAsync(endpoint);
        await dealer.SendAsync("hello");
        await AssertNextAsync("D", "");
        await AssertNextAsync("D", "hello");
        await dealer.DisposeAsync();
        await AssertNextAsync("D", "");

        async Task AssertNextAsync(params string[] frames)
        {
            using var message = await router.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal(frames, Enumerable.Range(0, message.Count).Select(message.Text).ToArray());
        }
    }

    [Fact]
    public async Task Probe_makes_a_ROUTER_peer_learn_of_us()
    {
        await using var libzmq = await LibzmqSocket.StartAsync("ROUTER");
        var endpoint = await libzmq.BindAsync();
        await using var dealer = new DealerSocket(new ZmtpOptions { ProbeRouter = true, Identity = "probe"u8.ToArray() });
        dealer.Connect(endpoint);
        Assert.Equal(["probe", ""], await libzmq.ReceiveAsync());
        await libzmq.SendAsync("probe", "answer");
        using var answer = await dealer.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("answer", answer.Text(0));
    }

    [Fact]
    public async Task A_connect_routing_id_names_the_peer_at_an_endpoint_over_its_reconnects()
    {
        var first = await LibzmqSocket.StartAsync("ROUTER");
        var endpoint = await first.BindAsync();
        await using var router = new RouterSocket(new ZmtpOptions { ProbeRouter = true, Identity = "ours"u8.ToArray(), RouterMandatory = true, ReconnectMin = TimeSpan.FromMilliseconds(20), ReconnectMax = TimeSpan.FromMilliseconds(100) });
        router.Connect(endpoint, "service"u8.ToArray());
        Assert.Throws<ArgumentException>(() => router.Connect("tcp://127.0.0.1:1", "service"u8.ToArray()));
        Assert.Equal(["ours", ""], await first.ReceiveAsync());
        router.Send(Message.Of("service", "hello"));
        Assert.Equal(["ours", "hello"], await first.ReceiveAsync());
        await first.DisposeAsync();
        await using var second = await LibzmqSocket.StartAsync("ROUTER");
        await second.BindAsync(endpoint);
        Assert.Equal(["ours", ""], await second.ReceiveAsync());
        router.Send(Message.Of("service", "again"));
        Assert.Equal(["ours", "again"], await second.ReceiveAsync());
    }

    [Fact]
    public async Task Hello_comes_first_a_disconnect_message_when_an_accepted_peer_is_gone_and_a_hiccup_when_a_connection_is_lost()
    {
        var router = new RouterSocket(new ZmtpOptions { HelloMessage = "hello"u8.ToArray(), DisconnectMessage = "gone"u8.ToArray() });
        var endpoint = router.Bind("tcp://127.0.0.1:*");
        foreach (var name in Identities)
        {
            var dealer = await LibzmqSocket.StartAsync("DEALER");
            await dealer.SetAsync("ROUTING_ID", name);
            await dealer.ConnectAsync(endpoint);
            Assert.Equal(["hello"], await dealer.ReceiveAsync());
            await dealer.DisposeAsync();
            using var gone = await router.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal((name, "gone"), (gone.Text(0), gone.Text(1)));
        }

        await using var ours = new DealerSocket(new ZmtpOptions { HiccupMessage = "hiccup"u8.ToArray(), HelloMessage = "I am here"u8.ToArray() });
        ours.Connect(endpoint);
        using (var hello = await router.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Assert.Equal("I am here", hello.Text(1));
        using (var hello = await ours.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Assert.Equal("hello", hello.Text(0));
        await router.DisposeAsync();
        using var hiccup = await ours.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("hiccup", hiccup.Text(0));
    }

    private static async Task Until(Func<bool> condition)
    {
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        while (!condition())
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private sealed class AnyUser : global::Zmtp.Security.IAuthenticator
    {
        public ValueTask<global::Zmtp.Security.AuthenticationResult> AuthenticateAsync(global::Zmtp.Security.AuthenticationRequest request, CancellationToken cancellationToken) =>
            new(new global::Zmtp.Security.AuthenticationResult(200, System.Text.Encoding.UTF8.GetString(request.Credentials[0])));
    }
}
