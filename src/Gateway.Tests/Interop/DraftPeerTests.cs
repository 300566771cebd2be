using System.Security.Cryptography;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Interop;

/// <summary>The thread-safe sockets with those of libzmq's draft API, either side binding, with heartbeats on ours.</summary>
public class DraftPeerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly int[] Sizes = [0, 1, 255, 256, 8000, 1 << 20];

    public static TheoryData<string> Roles => ["bind", "connect"];

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task CLIENT_asks_SERVER(string theirRole)
    {
        await using var socket = new ClientSocket(Options());
        await using var peer = await JoinAsync(socket, "SERVER", theirRole);
        await AskAsync(message => socket.SendAsync(message), () => socket.ReceiveAsync());
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task SERVER_answers_CLIENT(string theirRole)
    {
        await using var socket = new ServerSocket(Options());
        await using var peer = await JoinAsync(socket, "CLIENT", theirRole);
        await AnswerAsync(socket, peer);
    }

    [Fact]
    public async Task PEER_asks_a_bound_PEER()
    {
        await using var peer = await PeerProcess.StartAsync("draft", "PEER", "bind", "tcp://127.0.0.1:*");
        await using var socket = new PeerSocket(Options());
        var id = socket.ConnectPeer(peer.Endpoint);
        await AskAsync(message => socket.SendAsync(id, message), async () => (await socket.ReceiveAsync()).Message);
    }

    [Fact]
    public async Task PEER_answers_a_connected_PEER()
    {
        await using var socket = new PeerSocket(Options());
        await using var peer = await JoinAsync(socket, "PEER", "connect");
        await AnswerAsync(socket, peer);
    }

    [Fact]
    public async Task CHANNEL_asks_a_bound_CHANNEL()
    {
        await using var socket = new ChannelSocket(Options());
        await using var peer = await JoinAsync(socket, "CHANNEL", "bind");
        await AskAsync(message => socket.SendAsync(message), () => socket.ReceiveAsync());
    }

    [Fact]
    public async Task CHANNEL_answers_a_connected_CHANNEL()
    {
        await using var socket = new ChannelSocket(Options());
        await using var peer = await JoinAsync(socket, "CHANNEL", "connect");
        foreach (var _ in Sizes)
        {
            await socket.SendAsync(await socket.ReceiveAsync().AsTask().WaitAsync(Patience)).AsTask().WaitAsync(Patience);
            Assert.Equal("ok", await peer.NextLineAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task SCATTER_feeds_GATHER(string theirRole)
    {
        await using var socket = new ScatterSocket(Options());
        await using var peer = await JoinAsync(socket, "GATHER", theirRole);
        foreach (var size in Sizes) await socket.SendAsync(Make(size)).AsTask().WaitAsync(Patience);
        foreach (var size in Sizes) Assert.Equal($"got  {Describe(Body(size))}", await peer.NextLineAsync());
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task GATHER_is_fed_by_SCATTER(string theirRole)
    {
        await using var socket = new GatherSocket(Options());
        await using var peer = await JoinAsync(socket, "SCATTER", theirRole);
        foreach (var size in Sizes)
        {
            using var message = await socket.ReceiveAsync().AsTask().WaitAsync(Patience);
            Assert.Equal(Describe(Body(size)), Describe(message[0].Span));
        }
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task DISH_hears_the_one_group_of_RADIO_that_it_joined(string theirRole)
    {
        await using var socket = new DishSocket(Options());
        socket.Join("weather");
        await using var peer = await JoinAsync(socket, "RADIO", theirRole);
        await HearAsync(socket);
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task RADIO_is_heard_by_DISH(string theirRole)
    {
        await using var socket = new RadioSocket(Options());
        await using var peer = await JoinAsync(socket, "DISH", theirRole);
        await TellAsync(socket, peer, Sizes);
    }

    [Theory]
    [InlineData("udp://127.0.0.1")]
    [InlineData("udp://127.0.0.1;239.192.7.7")]
    public async Task DISH_hears_RADIO_over_udp(string address)
    {
        await using var socket = new DishSocket(Options());
        socket.Join("weather");
        var endpoint = socket.Bind($"{address}:*");
        await using var peer = await PeerProcess.StartAsync("draft", "RADIO", "connect", endpoint);
        await HearAsync(socket);
    }

    [Theory]
    [InlineData("udp://127.0.0.1")]
    [InlineData("udp://127.0.0.1;239.192.7.7")]
    public async Task RADIO_is_heard_by_DISH_over_udp(string address)
    {
        var endpoint = $"{address}:{FreePort.Take(1)[0]}";
        await using var peer = await PeerProcess.StartAsync("draft", "DISH", "bind", endpoint);
        await using var socket = new RadioSocket(Options());
        socket.Connect(endpoint);
        // Nobody says when a datagram has arrived; on loopback none is lost that fits the buffer.
        await TellAsync(socket, peer, [0, 1, 255, 256, 8000]);
    }

    private static async Task AskAsync(Func<Message, ValueTask> send, Func<ValueTask<Message>> receive)
    {
        foreach (var size in Sizes)
        {
            await send(Make(size)).AsTask().WaitAsync(Patience);
            using var answer = await receive().AsTask().WaitAsync(Patience);
            Assert.Equal(Describe(Body(size)), Describe(answer[0].Span));
        }
    }

    private static async Task AnswerAsync(RoutedSocket socket, PeerProcess peer)
    {
        foreach (var _ in Sizes)
        {
            var (routingId, message) = await socket.ReceiveAsync().AsTask().WaitAsync(Patience);
            await socket.SendAsync(routingId, message).AsTask().WaitAsync(Patience);
            Assert.Equal("ok", await peer.NextLineAsync());
        }
    }

    private static async Task HearAsync(DishSocket socket)
    {
        var missing = Sizes[..5].Select(size => Describe(Body(size))).ToHashSet();
        while (missing.Count > 0)
        {
            using var message = await socket.ReceiveAsync().AsTask().WaitAsync(Patience);
            Assert.Equal("weather", message.GroupName);
            missing.Remove(Describe(message.Body.Span));
        }
    }

    private static async Task TellAsync(RadioSocket socket, PeerProcess peer, int[] sizes)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (socket.Send("weather", Message.Of("begin")) == 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        foreach (var size in sizes)
        {
            socket.Send("weather.oslo", Make(size));
            socket.Send("weather", Make(size));
        }

        Assert.Equal($"got weather {Describe("begin"u8)}", await peer.NextLineAsync());
        foreach (var size in sizes) Assert.Equal($"got weather {Describe(Body(size))}", await peer.NextLineAsync());
    }

    private static ZmtpOptions Options() => new()
    {
        HeartbeatInterval = TimeSpan.FromMilliseconds(50), HeartbeatTimeout = TimeSpan.FromSeconds(5), HeartbeatTtl = TimeSpan.FromSeconds(5),
        ReconnectMax = TimeSpan.FromMilliseconds(500),
    };

    private static async Task<PeerProcess> JoinAsync(ZmtpSocket socket, string theirType, string theirRole)
    {
        if (theirRole == "connect") return await PeerProcess.StartAsync("draft", theirType, "connect", socket.Bind("tcp://127.0.0.1:*"));
        var bound = await PeerProcess.StartAsync("draft", theirType, "bind", "tcp://127.0.0.1:*");
        socket.Connect(bound.Endpoint);
        return bound;
    }

    private static Message Make(int size) => Message.Of(Body(size));

    private static byte[] Body(int size) => [.. Enumerable.Range(0, size).Select(i => (byte)(i % 251))];

    private static string Describe(ReadOnlySpan<byte> body) => $"{body.Length} {Convert.ToHexStringLower(SHA256.HashData(body))}";
}
