using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Authentication;
using Zmtp.Security;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Security;

/// <summary>The sockets whose messages have one frame, behind PLAIN and CURVE: groups, JOIN commands and routing ids pass the boxes too.</summary>
public class ThreadSafeSocketSecurityTests
{
    private static readonly CurveKeyPair ServerKeys = CurveKeyPair.Generate();
    private static readonly CurveKeyPair ClientKeys = CurveKeyPair.Generate();
    private static readonly byte[] Large = [.. Enumerable.Range(0, 300_000).Select(i => (byte)i)];

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("CURVE")]
    public async Task A_CLIENT_and_a_SERVER_talk(string mechanism)
    {
        await using var server = new ServerSocket(Server(mechanism));
        await using var client = new ClientSocket(Client(mechanism));
        client.Connect(server.Bind("tcp://127.0.0.1:*"));
        await Bounded(client.SendAsync(Message.Of(Large)));
        using var request = await Bounded(server.ReceiveAsync());
        Assert.Equal(Large, request.Message[0].ToArray());
        // Both lists have one client, so it is known who came.
        Assert.Equal(mechanism == "PLAIN" ? "joe" : Z85.Encode(ClientKeys.PublicKey), request.Message.Peer!.UserId);
        await Bounded(server.SendAsync(request.RoutingId, Message.Of("reply")));
        Assert.Equal("reply", await TextAsync(client.ReceiveAsync()));
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("CURVE")]
    public async Task PEER_sockets_talk(string mechanism)
    {
        await using var bound = new PeerSocket(Server(mechanism));
        await using var connected = new PeerSocket(Client(mechanism));
        var id = connected.ConnectPeer(bound.Bind("tcp://127.0.0.1:*"));
        await Bounded(connected.SendAsync(id, Message.Of("hello")));
        using var hello = await Bounded(bound.ReceiveAsync());
        Assert.Equal("hello", hello.Message.Text(0));
        await Bounded(bound.SendAsync(hello.RoutingId, Message.Of(Large)));
        using var answer = await Bounded(connected.ReceiveAsync());
        Assert.Equal(id, answer.RoutingId);
        Assert.Equal(Large, answer.Message[0].ToArray());
    }

    [Theory]
    [InlineData("PLAIN")]
    [InlineData("CURVE")]
    public async Task SCATTER_and_CHANNEL_reach_their_peers(string mechanism)
    {
        await using var gather = new GatherSocket(Server(mechanism));
        await using var scatter = new ScatterSocket(Client(mechanism));
        scatter.Connect(gather.Bind("tcp://127.0.0.1:*"));
        for (var i = 0; i < 10; i++) await Bounded(scatter.SendAsync(Message.Of($"{i}")));
        for (var i = 0; i < 10; i++) Assert.Equal($"{i}", await TextAsync(gather.ReceiveAsync()));

        await using var bound = new ChannelSocket(Server(mechanism));
        await using var connected = new ChannelSocket(Client(mechanism));
        connected.Connect(bound.Bind("tcp://127.0.0.1:*"));
        await Bounded(connected.SendAsync(Message.Of("hello")));
        Assert.Equal("hello", await TextAsync(bound.ReceiveAsync()));
        await Bounded(bound.SendAsync(Message.Of("world")));
        Assert.Equal("world", await TextAsync(connected.ReceiveAsync()));
    }

    [Theory]
    [InlineData("PLAIN", true)]
    [InlineData("PLAIN", false)]
    [InlineData("CURVE", true)]
    [InlineData("CURVE", false)]
    public async Task A_DISH_joins_and_leaves_the_groups_of_a_RADIO(string mechanism, bool dishBinds)
    {
        await using var radio = new RadioSocket(dishBinds ? Client(mechanism) : Server(mechanism));
        await using var dish = new DishSocket(dishBinds ? Server(mechanism) : Client(mechanism));
        dish.Join("weather");
        if (dishBinds) radio.Connect(dish.Bind("tcp://127.0.0.1:*"));
        else dish.Connect(radio.Bind("tcp://127.0.0.1:*"));
        await UntilAsync(() => radio.Send("weather", Message.Of("sun")) == 1);
        using (var message = await Bounded(dish.ReceiveAsync())) Assert.Equal(("weather", "sun"), (message.GroupName, message.Text));
        Assert.Equal(0, radio.Send("news", Message.Of("none")));
        dish.Leave("weather");
        await UntilAsync(() => radio.Send("weather", Message.Of("rain")) == 0);
    }

    private static ZmtpOptions Server(string mechanism) => new()
    {
        PlainServer = mechanism == "PLAIN",
        CurveServer = mechanism == "CURVE",
        CurveKeys = mechanism == "CURVE" ? ServerKeys : null,
        Authenticator = new AllowList(new AllowListOptions
        {
            Users = new Dictionary<string, string>(StringComparer.Ordinal) { ["joe"] = "secret" },
            CurveKeys = [ClientKeys.PublicKey],
        }),
    };

    private static ZmtpOptions Client(string mechanism) => mechanism == "PLAIN"
        ? new ZmtpOptions { PlainUserName = "joe", PlainPassword = "secret" }
        : new ZmtpOptions { CurveKeys = ClientKeys, CurveServerKey = ServerKeys.PublicKey };

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
