using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>The sockets whose messages have one frame (41/CLISRV, 48/RADIO-DISH, 49/SCATTER-GATHER, 51/P2P, 52/CHANNEL).</summary>
public class ThreadSafeSocketTests
{
    public static TheoryData<string> Transports => ["tcp", "ipc", "inproc"];

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_SERVER_answers_each_CLIENT_by_its_routing_id(string transport)
    {
        using var place = new Place(transport);
        await using var server = new ServerSocket(place.Options());
        var endpoint = server.Bind(place.Endpoint);
        await using var one = new ClientSocket(place.Options());
        await using var other = new ClientSocket(place.Options());
        one.Connect(endpoint);
        other.Connect(endpoint);
        await Bounded(one.SendAsync(Message.Of("one")));
        await Bounded(other.SendAsync(Message.Of("other")));
        for (var i = 0; i < 2; i++)
        {
            var (routingId, request) = await Bounded(server.ReceiveAsync());
            Assert.NotEqual(0u, routingId);
            // In any number: a SERVER is not a REP.
            await Bounded(server.SendAsync(routingId, Message.Of(request.Text(0) + "!")));
            await Bounded(server.SendAsync(routingId, Message.Of(request.Text(0) + "?")));
            request.Dispose();
        }

        Assert.Equal(["one!", "one?"], [await TextAsync(one.ReceiveAsync()), await TextAsync(one.ReceiveAsync())]);
        Assert.Equal(["other!", "other?"], [await TextAsync(other.ReceiveAsync()), await TextAsync(other.ReceiveAsync())]);
    }

    [Fact]
    public async Task A_routing_id_that_nobody_has_is_unreachable_and_dies_with_its_peer()
    {
        await using var server = new ServerSocket();
        var endpoint = server.Bind("tcp://127.0.0.1:*");
        using var lost = Message.Of("to nobody");
        Assert.Contains("17", Assert.Throws<ZmtpUnreachableException>(() => server.TrySend(17, lost)).Message, StringComparison.Ordinal);
        var peer = await ScriptedPeer.ConnectAsync(endpoint);
        await peer.HandshakeAsync("CLIENT");
        await peer.SendAsync(ZmtpBytes.Message("hello"));
        var (routingId, request) = await Bounded(server.ReceiveAsync());
        request.Dispose();
        await peer.DisposeAsync();
        // Taken until the connection is seen to be gone; then there is nobody of that id.
        await Assert.ThrowsAsync<ZmtpUnreachableException>(async () =>
        {
            using var patience = new CancellationTokenSource(ScriptedPeer.Patience);
            while (true)
            {
                patience.Token.ThrowIfCancellationRequested();
                await server.SendAsync(routingId, Message.Of("late"), patience.Token);
                await Task.Yield();
            }
        });
    }

    [Fact]
    public async Task Sending_to_a_full_peer_waits_for_room()
    {
        await using var server = new ServerSocket(new ZmtpOptions { SendHighWaterMark = 5, SendBuffer = 4096 });
        await using var peer = await ScriptedPeer.ConnectAsync(server.Bind("tcp://127.0.0.1:*"), receiveBuffer: 4096);
        await peer.HandshakeAsync("CLIENT");
        await peer.SendAsync(ZmtpBytes.Message("hello"));
        var (routingId, request) = await Bounded(server.ReceiveAsync());
        request.Dispose();
        var sent = 0;
        while (server.TrySend(routingId, Message.Of(new byte[50_000]))) sent++;
        var waiting = server.SendAsync(routingId, Message.Of("at last")).AsTask();
        Assert.False(waiting.IsCompleted);
        for (var i = 0; i < sent; i++) Assert.Equal(50_000, Assert.Single(await peer.ReceiveMessageAsync()).Length);
        await waiting.WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("at last", Encoding.ASCII.GetString(Assert.Single(await peer.ReceiveMessageAsync())));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task PEER_sockets_talk_to_each_other_by_the_id_that_connecting_returned(string transport)
    {
        using var place = new Place(transport);
        await using var bound = new PeerSocket(place.Options());
        await using var connected = new PeerSocket(place.Options());
        var endpoint = bound.Bind(place.Endpoint);
        var id = connected.ConnectPeer(endpoint);
        Assert.NotEqual(0u, id);
        await Bounded(connected.SendAsync(id, Message.Of("hello")));
        using var hello = await Bounded(bound.ReceiveAsync());
        Assert.Equal("hello", hello.Message.Text(0));
        await Bounded(bound.SendAsync(hello.RoutingId, Message.Of("world")));
        using var world = await Bounded(connected.ReceiveAsync());
        Assert.Equal((id, "world"), (world.RoutingId, world.Message.Text(0)));
        Assert.True(await connected.DisconnectAsync(endpoint));
        using var late = Message.Of("late");
        Assert.Throws<ZmtpUnreachableException>(() => connected.TrySend(id, late));
    }

    [Fact]
    public async Task The_id_of_a_connected_PEER_outlives_its_connections()
    {
        using var listener = new ScriptedListener();
        await using var socket = new PeerSocket(new ZmtpOptions { ReconnectMin = TimeSpan.FromMilliseconds(1), ReconnectMax = TimeSpan.FromMilliseconds(5) });
        var id = socket.ConnectPeer(listener.Endpoint);
        var waiting = socket.SendAsync(id, Message.Of("first")).AsTask();
        await using (var first = await listener.AcceptAsync("PEER"))
        {
            await waiting.WaitAsync(ScriptedPeer.Patience);
            Assert.Equal("first"u8.ToArray(), Assert.Single(await first.ReceiveMessageAsync()));
        }

        await using var second = await listener.AcceptAsync("PEER");
        await second.SendAsync(ZmtpBytes.Message("again"));
        using var again = await Bounded(socket.ReceiveAsync());
        Assert.Equal(id, again.RoutingId);
        await Bounded(socket.SendAsync(id, Message.Of("second")));
        Assert.Equal("second"u8.ToArray(), Assert.Single(await second.ReceiveMessageAsync()));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task SCATTER_spreads_its_messages_over_GATHER_sockets(string transport)
    {
        using var place = new Place(transport);
        await using var scatter = new ScatterSocket(place.Options());
        await using var gather = new GatherSocket(place.Options());
        scatter.Connect(gather.Bind(place.Endpoint));
        for (var i = 0; i < 10; i++) await Bounded(scatter.SendAsync(Message.Of($"{i}")));
        for (var i = 0; i < 10; i++) Assert.Equal($"{i}", await TextAsync(gather.ReceiveAsync()));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task CHANNEL_sockets_talk_both_ways(string transport)
    {
        using var place = new Place(transport);
        await using var bound = new ChannelSocket(place.Options());
        await using var connected = new ChannelSocket(place.Options());
        connected.Connect(bound.Bind(place.Endpoint));
        await Bounded(connected.SendAsync(Message.Of("hello")));
        Assert.Equal("hello", await TextAsync(bound.ReceiveAsync()));
        await Bounded(bound.SendAsync(Message.Of("world")));
        Assert.Equal("world", await TextAsync(connected.ReceiveAsync()));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_DISH_gets_the_groups_that_it_joined_and_no_others(string transport)
    {
        using var place = new Place(transport);
        await using var radio = new RadioSocket(place.Options());
        await using var dish = new DishSocket(place.Options());
        dish.Join("weather");
        dish.Connect(radio.Bind(place.Endpoint));
        await HeardAsync(radio, "weather");
        Assert.Equal(("weather", "begin"), await NextAsync(dish));
        // Exactly: neither a prefix nor a longer name.
        Assert.Equal(0, radio.Send("weather.oslo", Message.Of("no")));
        Assert.Equal(0, radio.Send("weath", Message.Of("no")));
        dish.Join("news");
        await HeardAsync(radio, "news");
        Assert.Equal(("news", "begin"), await NextAsync(dish));
        dish.Leave("weather");
        using var patience = new CancellationTokenSource(ScriptedPeer.Patience);
        while (radio.Send("weather", Message.Of("to nobody")) > 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        radio.Send("news", Message.Of("end"));
        Assert.Equal(("news", "end"), await NextAsync(dish));
    }

    [Fact]
    public async Task Joining_twice_leaving_what_was_not_joined_and_long_names_are_errors()
    {
        await using var dish = new DishSocket();
        dish.Join("weather");
        Assert.Throws<ArgumentException>(() => dish.Join("weather"));
        Assert.Throws<ArgumentException>(() => dish.Leave("news"));
        dish.Join(new string('g', 255));
        Assert.Contains("255", Assert.Throws<ArgumentException>(() => dish.Join(new string('g', 256))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => dish.Join("a\0b"));
        await using var radio = new RadioSocket();
        using var message = Message.Of("body");
        Assert.Throws<ArgumentException>(() => radio.Send(new string('g', 256), message));
    }

    [Fact]
    public async Task On_the_wire_a_group_is_a_frame_and_joining_is_a_command()
    {
        using var listener = new ScriptedListener();
        await using var dish = new DishSocket();
        dish.Join("grp");
        dish.Connect(listener.Endpoint);
        await using var peer = await listener.AcceptAsync("RADIO");
        await peer.ExpectAsync(ZmtpBytes.Command("JOIN", [.. "grp"u8]));
        await peer.SendAsync(ZmtpBytes.Message("other", "dropped"), ZmtpBytes.Message("grp", "message"));
        Assert.Equal(("grp", "message"), await NextAsync(dish));
        dish.Leave("grp");
        await peer.ExpectAsync(ZmtpBytes.Command("LEAVE", [.. "grp"u8]));
    }

    [Fact]
    public async Task A_RADIO_sends_a_DISH_no_PING()
    {
        var time = new ManualTimeProvider();
        await using var pair = await WirePair.ReadyAsync(SocketType.Radio, "DISH", options: new ZmtpOptions { Time = time, HeartbeatInterval = TimeSpan.FromSeconds(1) });
        time.Advance(TimeSpan.FromMinutes(1));
        await pair.Other.SendAsync(ZmtpBytes.Ping(context: "first"));
        await pair.Other.ExpectAsync(ZmtpBytes.Pong("first"));
    }

    [Fact]
    public async Task A_RADIO_bears_only_so_much_data_from_a_DISH()
    {
        await using var radio = new RadioSocket();
        await using var peer = await ScriptedPeer.ConnectAsync(radio.Bind("tcp://127.0.0.1:*"));
        await peer.HandshakeAsync("DISH");
        for (var i = 0; i < 101; i++) await peer.SendAsync(ZmtpBytes.Message("data", "nobody reads"));
        Assert.Empty(await peer.ReceiveToEndAsync());
    }

    [Fact]
    public async Task A_group_above_255_bytes_from_the_wire_closes_the_connection()
    {
        await using var pair = await WirePair.ReadyAsync(SocketType.Radio, "DISH");
        await pair.Other.SendAsync(ZmtpBytes.Command("JOIN", new byte[256]));
        Assert.Equal(ProtocolError.GroupTooLong, Assert.IsType<ZmtpProtocolException>(await pair.EndAsync()).Error);
    }

    [Theory]
    [InlineData("SERVER", "CLIENT")]
    [InlineData("CLIENT", "SERVER")]
    [InlineData("GATHER", "SCATTER")]
    [InlineData("PEER", "PEER")]
    [InlineData("CHANNEL", "CHANNEL")]
    public async Task A_message_of_several_frames_is_dropped_whole_and_the_next_one_delivered(string ours, string theirs)
    {
        await using var socket = Make(ours);
        await using var peer = await ScriptedPeer.ConnectAsync(socket.Bind("tcp://127.0.0.1:*"));
        await peer.HandshakeAsync(theirs);
        await peer.SendAsync(ZmtpBytes.Message("two", "frames"), ZmtpBytes.Message("a", "b", new string('c', 200_000)), ZmtpBytes.Message("single"));
        var (text, dropped) = socket switch
        {
            RoutedSocket routed => ((await Bounded(routed.ReceiveAsync())).Message.Text(0), routed.DroppedMultipart),
            ClientSocket client => (await TextAsync(client.ReceiveAsync()), client.DroppedMultipart),
            GatherSocket gather => (await TextAsync(gather.ReceiveAsync()), gather.DroppedMultipart),
            _ => (await TextAsync(((ChannelSocket)socket).ReceiveAsync()), ((ChannelSocket)socket).DroppedMultipart),
        };
        Assert.Equal(("single", 2), (text, dropped));
    }

    [Fact]
    public async Task A_DISH_drops_what_is_not_a_group_and_one_frame()
    {
        await using var dish = new DishSocket();
        dish.Join("g");
        await using var peer = await ScriptedPeer.ConnectAsync(dish.Bind("tcp://127.0.0.1:*"));
        await peer.HandshakeAsync("RADIO");
        await peer.SendAsync(ZmtpBytes.Message("g"), ZmtpBytes.Message("g", "a", "b"), ZmtpBytes.Message(new string('g', 256), "a"), ZmtpBytes.Message("g", "kept"));
        Assert.Equal(("g", "kept"), await NextAsync(dish));
        Assert.Equal(3, dish.DroppedMultipart);
    }

    [Fact]
    public async Task Sending_several_frames_is_an_error_that_says_so()
    {
        await using var server = new ServerSocket();
        await using var client = new ClientSocket();
        await using var scatter = new ScatterSocket();
        await using var channel = new ChannelSocket();
        await using var radio = new RadioSocket();
        using var two = Message.Of("a", "b");
        Action[] sends = [() => server.TrySend(1, two), () => client.TrySend(two), () => scatter.TrySend(two), () => channel.TrySend(two), () => radio.Send("g", two)];
        Assert.All(sends, send => Assert.Contains("one frame", Assert.Throws<ArgumentException>(send).Message, StringComparison.Ordinal));
    }

    private static ZmtpSocket Make(string type) => type switch
    {
        "SERVER" => new ServerSocket(),
        "CLIENT" => new ClientSocket(),
        "GATHER" => new GatherSocket(),
        "PEER" => new PeerSocket(),
        _ => new ChannelSocket(),
    };

    private static async Task HeardAsync(RadioSocket radio, string group)
    {
        using var patience = new CancellationTokenSource(ScriptedPeer.Patience);
        while (radio.Send(group, Message.Of("begin")) == 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static async Task<(string Group, string Text)> NextAsync(DishSocket dish)
    {
        using var message = await Bounded(dish.ReceiveAsync());
        return (message.GroupName, message.Text);
    }

    private static async Task<string> TextAsync(ValueTask<Message> receiving)
    {
        using var message = await Bounded(receiving);
        return message.Text(0);
    }

    private static Task Bounded(ValueTask task) => task.AsTask().WaitAsync(ScriptedPeer.Patience);

    private static Task<T> Bounded<T>(ValueTask<T> task) => task.AsTask().WaitAsync(ScriptedPeer.Patience);

    private sealed class Place(string transport) : IDisposable
    {
        private readonly TemporaryDirectory _folder = new();
        private readonly global::Zmtp.Transports.InprocRegistry _names = new();

        public string Endpoint => transport switch
        {
            "tcp" => "tcp://127.0.0.1:*",
            "ipc" => $"ipc://{_folder.File("socket")}",
            _ => "inproc://place",
        };

        public ZmtpOptions Options() => new() { Inproc = _names };

        public void Dispose() => _folder.Dispose();
    }
}
