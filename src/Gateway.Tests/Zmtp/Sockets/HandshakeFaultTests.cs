using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>Every mechanism, both sides ours, over a line that breaks at each byte, carries one byte at a time, or is slow.</summary>
public class HandshakeFaultTests
{
    private static readonly CurveKeyPair ServerKeys = CurveKeyPair.Generate();

    [Theory]
    [InlineData("NULL", 107)]
    [InlineData("PLAIN", 132)]
    [InlineData("CURVE", 550)]
    public async Task A_reset_at_any_byte_either_way_ends_that_attempt_and_the_next_one_works(string mechanism, int atLeast)
    {
        // Slots of handshakes that were not given back would keep the last clients out.
        await using var server = new RouterSocket(Server(mechanism, new ZmtpOptions { MaxHandshakes = 8, MaxHandshakesPerAddress = 8 }));
        var endpoint = server.Bind("tcp://127.0.0.1:*");
        var (forth, back) = await MeasureAsync(mechanism, server, endpoint);
        Assert.True(SpinWait.SpinUntil(() => server.Endpoints.Count == 1, ScriptedPeer.Patience));
        Assert.True(forth + back >= atLeast, $"the handshake has {forth} + {back} bytes");
        // Every byte from the client, every byte from the server, and then a whole connection.
        var faults = Enumerable.Range(0, forth).Select(n => new Fault(n, int.MaxValue)).Concat(Enumerable.Range(0, back).Select(n => new Fault(int.MaxValue, n))).ToList();
        await using var relay = new FaultRelay(endpoint, n => n < faults.Count ? faults[n] : Fault.None);
        var failures = 0;
        // Several lines at once, for what takes time is to come back.
        var clients = Enumerable.Range(0, 4).Select(_ => new DealerSocket(Client(mechanism, new ZmtpOptions
        {
            ReconnectMin = TimeSpan.FromMilliseconds(1), ReconnectMax = TimeSpan.FromMilliseconds(1),
            Events = e => _ = e.Kind == SocketEventKind.Retrying ? Interlocked.Increment(ref failures) : 0,
        }))).ToList();
        foreach (var client in clients) client.Connect(relay.Endpoint);
        Assert.True(SpinWait.SpinUntil(() => relay.Accepted > faults.Count, TimeSpan.FromSeconds(60)), $"{relay.Accepted} of {faults.Count} attempts");
        // What was sent into a connection that broke is lost, so it is asked until there is an answer.
        foreach (var client in clients) await TalkAsync(client, server);
        Assert.Equal(faults.Count, failures);
        await using var fresh = new DealerSocket(Client(mechanism, new ZmtpOptions()));
        fresh.Connect(endpoint);
        await TalkAsync(fresh, server);
        foreach (var client in clients) await client.DisposeAsync();
        await fresh.DisposeAsync();
        await relay.DisposeAsync();
        Assert.True(SpinWait.SpinUntil(() => server.Endpoints.All(state => state.Role == EndpointRole.Bind), ScriptedPeer.Patience), "a connection was left");
    }

    [Theory]
    [InlineData("NULL", 0)]
    [InlineData("NULL", 200)]
    [InlineData("PLAIN", 0)]
    [InlineData("PLAIN", 200)]
    [InlineData("CURVE", 0)]
    [InlineData("CURVE", 200)]
    public async Task A_line_of_single_bytes_with_jitter_is_only_slow(string mechanism, int jitterMilliseconds)
    {
        var time = new ManualTimeProvider();
        await using var pair = Connect(mechanism, time, TimeSpan.FromMilliseconds(jitterMilliseconds), TimeSpan.FromMinutes(10));
        Assert.True((await pair.Server.Owner.ReadyAsync()).TrySend(Message.Of("from", "", "server")));
        Assert.True((await pair.Client.Owner.ReadyAsync()).TrySend(Message.Of("from", "client")));
        Assert.Equal(["from", "", "server"], await pair.Client.Owner.NextAsync());
        Assert.Equal(["from", "client"], await pair.Server.Owner.NextAsync());
        // It was slow indeed: about half of the jitter for each byte.
        Assert.True(time.GetUtcNow() - DateTimeOffset.UnixEpoch >= TimeSpan.FromMilliseconds(60 * jitterMilliseconds));
    }

    [Fact]
    public async Task A_line_too_slow_for_the_handshakes_time_ends_alone_and_gives_all_back()
    {
        var time = new ManualTimeProvider();
        var live = new LiveObjects();
        for (var i = 0; i < 10; i++) await FailSlowlyAsync(time, live);
        Assert.Equal(20, live.Count);
        await live.AssertGoneAsync();
    }

    private static async Task FailSlowlyAsync(ManualTimeProvider time, LiveObjects live)
    {
        await using var pair = Connect("CURVE", time, TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(30));
        var reasons = await Task.WhenAll(pair.Client.Ended, pair.Server.Ended).WaitAsync(ScriptedPeer.Patience);
        // The other side sees the end of the connection or its own time run out.
        Assert.Contains(reasons, reason => reason is ZmtpProtocolException { Error: ProtocolError.HandshakeTimeout });
        Assert.Equal((0, 0), (pair.Client.Owner.Gone, pair.Server.Owner.Gone));
        live.Watch(pair.Client.Peer);
        live.Watch(pair.Server.Peer);
    }

    private static async Task<(int FromClient, int FromServer)> MeasureAsync(string mechanism, RouterSocket server, string endpoint)
    {
        await using var relay = new FaultRelay(endpoint, static _ => Fault.None);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (var client = new DealerSocket(Client(mechanism, new ZmtpOptions { Events = e => _ = e.Kind == SocketEventKind.Ready && ready.TrySetResult() })))
        {
            client.Connect(relay.Endpoint);
            await ready.Task.WaitAsync(ScriptedPeer.Patience);
            Assert.True(SpinWait.SpinUntil(() => server.Endpoints.Count == 2, ScriptedPeer.Patience));
        }

        Assert.True(SpinWait.SpinUntil(() => relay.Passed.FromClient > 0, ScriptedPeer.Patience));
        return relay.Passed;
    }

    private static async Task TalkAsync(DealerSocket client, RouterSocket server)
    {
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(late.Token);
        var echoing = EchoAsync(server, done.Token);
        var asked = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            if (echoing.IsFaulted) await echoing;
            Assert.False(late.IsCancellationRequested, $"no answer; {Assert.Single(client.Endpoints)}; {string.Join(", ", server.Endpoints)}");
            var question = Guid.NewGuid().ToString();
            asked.Add(question);
            Assert.True(await TrySendAsync(client, Message.Of(question, "", "question"), late.Token), $"no connection: {Assert.Single(client.Endpoints)}; {string.Join(", ", server.Endpoints)}");
            // Only a question that was lost with its connection waits so long.
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(late.Token);
            patience.CancelAfter(TimeSpan.FromMilliseconds(50));
            try
            {
                using var answer = await client.ReceiveAsync(patience.Token);
                Assert.Equal((3, "question"), (answer.Count, answer.Text(2)));
                // To any of them: under load the answers may come one question behind for ever.
                if (asked.Contains(answer.Text(0))) break;
            }
            catch (OperationCanceledException)
            {
                // Asked again.
            }
        }

        await done.CancelAsync();
        await echoing;
    }

    private static async Task<bool> TrySendAsync(DealerSocket client, Message message, CancellationToken late)
    {
        try
        {
            await client.SendAsync(message, late);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task EchoAsync(RouterSocket server, CancellationToken done)
    {
        try
        {
            while (true) server.Send(await server.ReceiveAsync(done));
        }
        catch (OperationCanceledException)
        {
            // The answer has arrived.
        }
    }

    private static ZmtpOptions Client(string mechanism, ZmtpOptions options)
    {
        if (mechanism == "PLAIN") (options.PlainUserName, options.PlainPassword) = ("joe", "secret");
        if (mechanism == "CURVE") (options.CurveKeys, options.CurveServerKey) = (CurveKeyPair.Generate(), ServerKeys.PublicKey);
        return options;
    }

    private static ZmtpOptions Server(string mechanism, ZmtpOptions options)
    {
        (options.PlainServer, options.CurveServer, options.CurveKeys) = (mechanism == "PLAIN", mechanism == "CURVE", ServerKeys);
        options.Authenticator = new AcceptAll();
        return options;
    }

    private static Pair Connect(string mechanism, ManualTimeProvider time, TimeSpan jitter, TimeSpan timeout)
    {
        var (a, b) = MemoryLink.Pair();
        var clientOptions = Client(mechanism, new ZmtpOptions { Time = time, HandshakeTimeout = timeout });
        var serverOptions = Server(mechanism, new ZmtpOptions { Time = time, HandshakeTimeout = timeout });
        return new Pair(
            new Side(SocketType.Dealer, new JitterLink(a, time, jitter, 1), clientOptions, outgoing: true),
            new Side(SocketType.Router, new JitterLink(b, time, jitter, 2), serverOptions, outgoing: false));
    }

    private sealed record Pair(Side Client, Side Server) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Client.Peer.Abort(new ZmtpException("The test is over."));
            Server.Peer.Abort(new ZmtpException("The test is over."));
            await Task.WhenAll(Client.Ended, Server.Ended).WaitAsync(ScriptedPeer.Patience);
        }
    }

    private sealed class Side
    {
        public Side(SocketType type, JitterLink link, ZmtpOptions options, bool outgoing)
        {
            Peer = new WirePeer(link, "memory", outgoing, type, options, options.CreateMechanism(type), Owner);
            Ended = Task.Run(() => Peer.RunAsync(default));
        }

        public WirePeer Peer { get; }

        public RecordingOwner Owner { get; } = new();

        public Task<Exception?> Ended { get; }
    }

    private sealed class AcceptAll : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) => new(new AuthenticationResult(200));
    }
}
