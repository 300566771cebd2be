using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Proxies;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Proxies;

/// <summary>A proxy between sockets whose messages have one frame.</summary>
public class SinglePartProxyTests
{
    private const string Any = "tcp://127.0.0.1:*";
    private static readonly byte[] Large = [.. Enumerable.Range(0, 3_000_000).Select(i => (byte)(i * 7))];

    [Fact]
    public async Task From_GATHER_to_SCATTER_all_passes_in_order_large_messages_too()
    {
        await using var proxy = new ZmtpProxy(new GatherSocket(), new ScatterSocket());
        await using var scatter = new ScatterSocket();
        await using var gather = new GatherSocket();
        gather.Connect(proxy.Backend.Bind(Any));
        scatter.Connect(proxy.Frontend.Bind(Any));
        for (var i = 0; i < 100; i++) await Bounded(scatter.SendAsync(Message.Of($"{i}")));
        await Bounded(scatter.SendAsync(Message.Of(Large)));
        for (var i = 0; i < 100; i++) Assert.Equal($"{i}", await TextAsync(gather.ReceiveAsync()));
        using var large = await Bounded(gather.ReceiveAsync());
        Assert.Equal(Large, large[0].ToArray());
    }

    [Fact]
    public async Task A_message_of_several_frames_does_not_get_through_and_the_next_one_does()
    {
        var gathering = new GatherSocket();
        await using var proxy = new ZmtpProxy(gathering, new ScatterSocket());
        await using var gather = new GatherSocket();
        gather.Connect(proxy.Backend.Bind(Any));
        await using var peer = await ScriptedPeer.ConnectAsync(proxy.Frontend.Bind(Any));
        await peer.HandshakeAsync("SCATTER");
        await peer.SendAsync(ZmtpBytes.Message("two", "frames"), ZmtpBytes.Message("one"));
        Assert.Equal("one", await TextAsync(gather.ReceiveAsync()));
        Assert.Equal(1, gathering.DroppedMultipart);
    }

    [Fact]
    public async Task Between_two_CHANNELs_both_ways_pass_and_the_monitor_shows_them()
    {
        await using var proxy = new ZmtpProxy(new ChannelSocket(), new ChannelSocket(), new ProxyOptions { Monitor = new PairSocket(), InPrefix = "in"u8.ToArray(), OutPrefix = "out"u8.ToArray() });
        await using var watching = new PairSocket();
        watching.Connect(proxy.Monitor!.Bind(Any));
        await using var one = new ChannelSocket();
        await using var other = new ChannelSocket();
        one.Connect(proxy.Frontend.Bind(Any));
        other.Connect(proxy.Backend.Bind(Any));
        await UntilAsync(() => proxy.Monitor.Endpoints.Any(endpoint => endpoint.Phase == EndpointPhase.Ready && endpoint.Role == EndpointRole.Accepted));
        await Bounded(one.SendAsync(Message.Of("hello")));
        Assert.Equal("hello", await TextAsync(other.ReceiveAsync()));
        await Bounded(other.SendAsync(Message.Of("world")));
        Assert.Equal("world", await TextAsync(one.ReceiveAsync()));
        foreach (var expected in (string[][])[["in", "hello"], ["out", "world"]])
        {
            using var shown = await Bounded(watching.ReceiveAsync());
            Assert.Equal((expected[0], expected[1]), (shown.Text(0), shown.Text(1)));
        }
    }

    [Fact]
    public async Task From_DISH_to_RADIO_the_groups_that_the_DISH_joined_pass()
    {
        var joining = new DishSocket();
        joining.Join("weather");
        joining.Join("end");
        await using var proxy = new ZmtpProxy(joining, new RadioSocket());
        await using var radio = new RadioSocket();
        radio.Connect(proxy.Frontend.Bind(Any));
        await using var dish = new DishSocket();
        foreach (var group in (string[])["weather", "news", "end"]) dish.Join(group);
        dish.Connect(proxy.Backend.Bind(Any));
        // Its last JOIN is heard when a message of that group comes through.
        var first = dish.ReceiveAsync().AsTask();
        await UntilAsync(() =>
        {
            radio.Send("end", Message.Of("begin"));
            return first.IsCompleted;
        });
        (await first).Dispose();
        Assert.Equal(0, radio.Send("news", Message.Of("nobody asked")));
        Assert.Equal(1, radio.Send("weather", Message.Of("sun")));
        GroupMessage next;
        while ((next = await Bounded(dish.ReceiveAsync())).GroupName == "end") next.Dispose();
        Assert.Equal(("weather", "sun"), (next.GroupName, next.Text));
        next.Dispose();
    }

    [Theory]
    [InlineData(SocketType.Server, SocketType.Client, "a device has no SERVER side: its messages have one frame, which has no place for whom a reply is for; use ROUTER towards clients and DEALER towards services")]
    [InlineData(SocketType.Router, SocketType.Client, "a device has no CLIENT side: its messages have one frame, which has no place for whom a reply is for; use ROUTER towards clients and DEALER towards services")]
    [InlineData(SocketType.Peer, SocketType.Peer, "a device has no PEER side: its messages have one frame, which has no place for whom a reply is for; use ROUTER towards clients and DEALER towards services")]
    [InlineData(SocketType.Channel, SocketType.Pair, "CHANNEL cannot stand opposite PAIR; opposite CHANNEL: CHANNEL")]
    [InlineData(SocketType.Dish, SocketType.XPub, "DISH cannot stand opposite XPUB; opposite DISH: RADIO")]
    [InlineData(SocketType.Pull, SocketType.Scatter, "PULL cannot stand opposite SCATTER; opposite PULL: PUSH, PUB")]
    public void What_does_not_fit_is_said_with_its_reason(SocketType one, SocketType other, string problem) => Assert.Equal(problem, ProxyPairs.Problem(one, other));

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(ScriptedPeer.Patience);
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static async Task<string> TextAsync(ValueTask<Message> receiving)
    {
        using var message = await Bounded(receiving);
        return message.Text(0);
    }

    private static Task Bounded(ValueTask task) => task.AsTask().WaitAsync(ScriptedPeer.Patience);

    private static Task<T> Bounded<T>(ValueTask<T> task) => task.AsTask().WaitAsync(ScriptedPeer.Patience);
}
