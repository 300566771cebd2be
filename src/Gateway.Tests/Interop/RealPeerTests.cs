using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Interop;

/// <summary>Every pattern with real libzmq sockets, either side binding, over tcp, ipc and ws, with heartbeats on both sides.</summary>
public class RealPeerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static TheoryData<string, string, string> Cases()
    {
        var cases = new TheoryData<string, string, string>();
        foreach (var kind in (string[])["python", "node"])
        {
            foreach (var transport in (string[])["tcp", "ipc", "ws"])
            {
                cases.Add(kind, transport, "bind");
                cases.Add(kind, transport, "connect");
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task REQ_asks_REP(string kind, string transport, string theirRole)
    {
        await using var socket = new ReqSocket(Options());
        await using var link = await JoinAsync(socket, kind, "REP", transport, theirRole);
        for (var i = 0; i < StandardMessages.Count; i++)
        {
            using var reply = await socket.RequestAsync(StandardMessages.Make(i)).AsTask().WaitAsync(Patience);
            Assert.Equal(StandardMessages.Descriptions()[i], StandardMessages.Describe(reply));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task DEALER_talks_with_ROUTER(string kind, string transport, string theirRole)
    {
        await using var socket = new DealerSocket(Options());
        await using var link = await JoinAsync(socket, kind, "ROUTER", transport, theirRole);
        for (var i = 0; i < StandardMessages.Count; i++) await socket.SendAsync(StandardMessages.Make(i)).AsTask().WaitAsync(Patience);
        foreach (var expected in StandardMessages.Descriptions())
        {
            using var reply = await socket.ReceiveAsync().AsTask().WaitAsync(Patience);
            Assert.Equal(expected, StandardMessages.Describe(reply));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task REP_answers_REQ(string kind, string transport, string theirRole)
    {
        await using var socket = new RepSocket(Options());
        await using var link = await JoinAsync(socket, kind, "REQ", transport, theirRole);
        for (var i = 0; i < StandardMessages.Count; i++)
        {
            Assert.True(socket.Send(await socket.ReceiveAsync().AsTask().WaitAsync(Patience)));
            Assert.Equal("ok", await link.Peer.NextLineAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task ROUTER_answers_DEALER(string kind, string transport, string theirRole)
    {
        await using var socket = new RouterSocket(Options());
        await using var link = await JoinAsync(socket, kind, "DEALER", transport, theirRole);
        for (var i = 0; i < StandardMessages.Count; i++)
        {
            Assert.True(socket.Send(await socket.ReceiveAsync().AsTask().WaitAsync(Patience)));
            Assert.Equal("ok", await link.Peer.NextLineAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task PUSH_feeds_PULL(string kind, string transport, string theirRole)
    {
        await using var socket = new PushSocket(Options());
        await using var link = await JoinAsync(socket, kind, "PULL", transport, theirRole);
        for (var i = 0; i < StandardMessages.Count; i++) await socket.SendAsync(StandardMessages.Make(i)).AsTask().WaitAsync(Patience);
        foreach (var expected in StandardMessages.Descriptions()) Assert.Equal($"got {expected}", await link.Peer.NextLineAsync());
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task PULL_is_fed_by_PUSH(string kind, string transport, string theirRole)
    {
        await using var socket = new PullSocket(Options());
        await using var link = await JoinAsync(socket, kind, "PUSH", transport, theirRole);
        foreach (var expected in StandardMessages.Descriptions())
        {
            using var message = await socket.ReceiveAsync().AsTask().WaitAsync(Patience);
            Assert.Equal(expected, StandardMessages.Describe(message));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task SUB_hears_PUB(string kind, string transport, string theirRole)
    {
        await using var socket = new SubSocket(Options());
        socket.Subscribe("");
        await using var link = await JoinAsync(socket, kind, "PUB", transport, theirRole);
        var missing = StandardMessages.Descriptions().ToHashSet();
        while (missing.Count > 0)
        {
            using var message = await socket.ReceiveAsync().AsTask().WaitAsync(Patience);
            Assert.Contains(StandardMessages.Describe(message), StandardMessages.Descriptions());
            missing.Remove(StandardMessages.Describe(message));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task PUB_is_heard_by_SUB(string kind, string transport, string theirRole)
    {
        // XPUB is told of the subscription, so the first message finds its subscriber.
        await using var socket = new XPubSocket(Options());
        await using var link = await JoinAsync(socket, kind, "SUB", transport, theirRole);
        using (var subscription = await socket.ReceiveAsync().AsTask().WaitAsync(Patience)) Assert.Equal([1], subscription[0].ToArray());
        for (var i = 0; i < StandardMessages.Count; i++) Assert.Equal(1, socket.Send(StandardMessages.Make(i)));
        foreach (var expected in StandardMessages.Descriptions()) Assert.Equal($"got {expected}", await link.Peer.NextLineAsync());
    }

    [Theory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task A_publisher_that_is_started_again_gets_the_subscription_again(string kind)
    {
        await using var socket = new SubSocket(Options());
        socket.Subscribe("");
        var first = await PeerProcess.StartAsync(kind, "PUB", "bind", "tcp://127.0.0.1:*");
        var endpoint = first.Endpoint;
        socket.Connect(endpoint);
        using (await socket.ReceiveAsync().AsTask().WaitAsync(Patience)) await first.DisposeAsync();
        // What the first one had sent is read to its end before the second one starts, so what comes then is the second one's.
        await using var second = await PeerProcess.StartAsync(kind, "PUB", "bind", endpoint);
        while (socket.TryReceive(out var old)) old.Dispose();
        using var heard = await socket.ReceiveAsync().AsTask().WaitAsync(Patience);
        Assert.Contains(StandardMessages.Describe(heard), StandardMessages.Descriptions());
    }

    [Theory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task A_subscriber_finds_us_again_after_we_were_bound_again(string kind)
    {
        var first = new XPubSocket(Options());
        var endpoint = first.Bind("tcp://127.0.0.1:*");
        await using var peer = await PeerProcess.StartAsync(kind, "SUB", "connect", endpoint);
        using (await first.ReceiveAsync().AsTask().WaitAsync(Patience)) await first.DisposeAsync();
        await using var second = new XPubSocket(Options());
        second.Bind(endpoint);
        using var subscription = await second.ReceiveAsync().AsTask().WaitAsync(Patience);
        Assert.Equal([1], subscription[0].ToArray());
        Assert.Equal(1, second.Send(StandardMessages.Make(1)));
        Assert.Equal($"got {StandardMessages.Descriptions()[1]}", await peer.NextLineAsync());
    }

    private static ZmtpOptions Options() => new()
    {
        HeartbeatInterval = TimeSpan.FromMilliseconds(50), HeartbeatTimeout = TimeSpan.FromSeconds(5), HeartbeatTtl = TimeSpan.FromSeconds(5),
        ReconnectMax = TimeSpan.FromMilliseconds(500),
    };

    private static async Task<Joined> JoinAsync(ZmtpSocket socket, string kind, string theirType, string transport, string theirRole)
    {
        var folder = new TemporaryDirectory();
        var endpoint = transport == "ipc" ? $"ipc://{folder.File("socket")}" : $"{transport}://127.0.0.1:*";
        if (theirRole == "bind")
        {
            var bound = await PeerProcess.StartAsync(kind, theirType, "bind", endpoint, "50");
            socket.Connect(bound.Endpoint);
            return new Joined(bound, folder);
        }

        return new Joined(await PeerProcess.StartAsync(kind, theirType, "connect", socket.Bind(endpoint), "50"), folder);
    }

    private sealed record Joined(PeerProcess Peer, TemporaryDirectory Folder) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Peer.DisposeAsync();
            Folder.Dispose();
        }
    }
}
