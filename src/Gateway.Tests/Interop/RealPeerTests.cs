using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Interop;

/// <summary>What the matrix (<see cref="InteropMatrixTests"/>) leaves out: large messages beside heartbeats, and peers that are started again.</summary>
public class RealPeerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("python", "tcp", "bind")]
    [InlineData("python", "ipc", "connect")]
    [InlineData("python", "ws", "bind")]
    [InlineData("node", "tcp", "connect")]
    [InlineData("node", "ipc", "bind")]
    [InlineData("node", "ws", "connect")]
    public async Task Messages_up_to_8_MiB_cross_while_both_sides_ping(string kind, string transport, string theirRole)
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
