using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Interop;

/// <summary>Scripted NetMQ peers (<see cref="NetMqPeer"/>), bound and connected, of every classic pair.</summary>
public class NetMqTests
{
    private readonly Channel<SocketEvent> _events = Channel.CreateUnbounded<SocketEvent>();

    public static TheoryData<string, string, string> Pairs()
    {
        var pairs = new TheoryData<string, string, string>();
        foreach (var c in InteropMatrix.Classic("netmq")) pairs.Add(c.Ours.Name(), c.Theirs.Name(), c.Role);
        return pairs;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Messages_of_all_sizes_cross_and_subscriptions_are_messages(string ours, string theirs, string theirRole)
    {
        var test = new InteropCase("netmq", "tcp", "NULL", Parse(ours), Parse(theirs), theirRole);
        await using var socket = InteropPeer.Make(test, Tell);
        await using var peer = new NetMqPeer(await JoinAsync(socket, theirRole), test);
        await peer.ShakeHandsAsync();
        var conversation = new InteropConversation(test, socket);
        // Both at once: each waits for the other in turn.
        await Task.WhenAll(conversation.PlayAsync(() => Task.CompletedTask), peer.PlayAsync()).WaitAsync(ScriptedPeer.Patience);
        if (test.Flow is "echo" or "send") Assert.Equal(test.Sizes.Select(InteropConversation.Describe), conversation.Received);
        await CancelAsync(socket, peer);
        await peer.PingAsync();
        Assert.DoesNotContain(Happened(), e => e.Kind is SocketEventKind.Disconnected or SocketEventKind.HandshakeFailed);
    }

    [Theory]
    [InlineData("bind")]
    [InlineData("connect")]
    public async Task It_is_not_pinged_for_its_protocol_has_no_PING_and_it_lives(string theirRole)
    {
        var time = new ManualTimeProvider();
        var test = new InteropCase("netmq", "tcp", "NULL", SocketType.Dealer, SocketType.Dealer, theirRole);
        await using var socket = new DealerSocket(new ZmtpOptions { Time = time, HeartbeatInterval = TimeSpan.FromSeconds(1), ConnectTimeout = TimeSpan.Zero, Events = Tell });
        await using var peer = new NetMqPeer(await JoinAsync(socket, theirRole), test);
        await peer.ShakeHandsAsync();
        // Its own PING is answered, and asks for a life of ten seconds.
        await peer.PingAsync();
        time.Advance(TimeSpan.FromSeconds(9));
        await socket.SendAsync(Message.Of("still here")).AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("still here"u8.ToArray(), Assert.Single(await peer.ReceiveAsync()));
        await peer.PingAsync();
        Assert.DoesNotContain(Happened(), e => e.Kind == SocketEventKind.Disconnected);
    }

    [Theory]
    [InlineData("bind")]
    [InlineData("connect")]
    public async Task Releases_up_to_4_0_0_which_speak_ZMTP_2_are_refused_and_the_reason_told(string theirRole)
    {
        await using var socket = new RouterSocket(new ZmtpOptions { Events = Tell });
        var joined = theirRole == "bind" ? null : socket.Bind("tcp://127.0.0.1:*");
        using var listener = new ScriptedListener();
        if (joined is null) socket.Connect(listener.Endpoint);
        await using var peer = joined is null ? await listener.AcceptAsync() : await ScriptedPeer.ConnectAsync(joined);
        // Revision 1, a DEALER (5), and its identity as the first message.
        await peer.SendAsync(NetMqPeer.Signature(0));
        await peer.ReceiveAsync(10);
        await peer.SendAsync([1]);
        Assert.Equal(54, (await peer.ReceiveToEndAsync()).Length);
        var failed = await NextAsync(SocketEventKind.HandshakeFailed);
        Assert.Equal(ProtocolError.UnsupportedVersion, Assert.IsType<ZmtpProtocolException>(failed.Error).Error);
        Assert.False(socket.TryReceive(out _));
    }

    private static async Task CancelAsync(ZmtpSocket socket, NetMqPeer peer)
    {
        if (socket is SubscribingSocket subscriber)
        {
            subscriber.Unsubscribe(""u8);
            Assert.Equal([0], Assert.Single(await peer.ReceiveAsync()));
        }
        else if (socket is XPubSocket publisher)
        {
            using var cancelled = await publisher.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal([0], cancelled[0].ToArray());
        }
    }

    private static async Task<ScriptedPeer> JoinAsync(ZmtpSocket socket, string theirRole)
    {
        if (theirRole == "connect") return await ScriptedPeer.ConnectAsync(socket.Bind("tcp://127.0.0.1:*"));
        using var listener = new ScriptedListener();
        socket.Connect(listener.Endpoint);
        return await listener.AcceptAsync();
    }

    private static SocketType Parse(string name) => SocketTypes.Parse(System.Text.Encoding.ASCII.GetBytes(name));

    private void Tell(SocketEvent e) => _events.Writer.TryWrite(e);

    private List<SocketEvent> Happened()
    {
        var all = new List<SocketEvent>();
        while (_events.Reader.TryRead(out var e)) all.Add(e);
        return all;
    }

    private async Task<SocketEvent> NextAsync(SocketEventKind kind)
    {
        while (true)
        {
            var next = await _events.Reader.ReadAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            if (next.Kind == kind) return next;
        }
    }
}
