using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>The classes of libzmq's and NetMQ's security reports: each costs the connection that does it, and nothing else.</summary>
[Collection("Alone")]
public class HostilePeerTests
{
    [Fact] // CVE-2020-15166
    public async Task A_thousand_connections_that_say_nothing_get_no_message()
    {
        await using var socket = new PushSocket(new ZmtpOptions { Backlog = 1_000, MaxHandshakes = 2_000, MaxHandshakesPerAddress = 0 });
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        var silent = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => ScriptedPeer.ConnectAsync(endpoint)));
        await using var good = await ScriptedPeer.ConnectAsync(endpoint);
        await good.HandshakeAsync("PULL");
        for (var i = 0; i < 100; i++)
        {
            await socket.SendAsync(Message.Of($"{i}")).AsTask().WaitAsync(ScriptedPeer.Patience);
            await good.ExpectAsync(ZmtpBytes.Message($"{i}"));
        }

        foreach (var peer in silent) await peer.DisposeAsync();
    }

    [Fact]
    public async Task Above_the_limit_of_unfinished_handshakes_the_one_that_was_silent_longest_is_closed()
    {
        var time = new ManualTimeProvider();
        await using var socket = new PullSocket(new ZmtpOptions { MaxHandshakes = 2, Time = time });
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        await using var speaks = await ScriptedPeer.ConnectAsync(endpoint);
        await speaks.ReceiveAsync(64);
        time.Advance(TimeSpan.FromSeconds(1));
        await using var silent = await ScriptedPeer.ConnectAsync(endpoint);
        await silent.ReceiveAsync(64);
        time.Advance(TimeSpan.FromSeconds(1));
        // Its greeting is answered by our READY, so it has been heard.
        await speaks.SendAsync(ZmtpBytes.Greeting());
        await speaks.ExpectAsync(ZmtpBytes.Ready("PULL"));
        await using var third = await ScriptedPeer.ConnectAsync(endpoint);
        await third.ReceiveAsync(64);
        Assert.Empty(await silent.ReceiveToEndAsync());
        await speaks.SendAsync(ZmtpBytes.Ready("PUSH"));
        await third.SendAsync(ZmtpBytes.Greeting(), ZmtpBytes.Ready("PUSH"));
        await third.ExpectAsync(ZmtpBytes.Ready("PULL"));
        await speaks.SendAsync(ZmtpBytes.Message("heard"));
        using var message = await socket.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("heard", message.Text(0));
    }

    [Fact]
    public async Task One_address_can_displace_only_its_own_unfinished_handshakes()
    {
        var closed = System.Threading.Channels.Channel.CreateUnbounded<SocketEvent>();
        await using var socket = new PullSocket(new ZmtpOptions
        {
            MaxHandshakesPerAddress = 2,
            Events = e =>
            {
                if (e.Kind == SocketEventKind.HandshakeFailed) closed.Writer.TryWrite(e);
            },
        });
        var port = socket.Bind("tcp://0.0.0.0:*").Split(':')[^1];
        await using var other = await ScriptedPeer.ConnectAsync($"tcp://127.0.0.2:{port}", from: "127.0.0.2");
        await other.ReceiveAsync(64);
        var flood = new List<ScriptedPeer>();
        for (var i = 0; i < 20; i++)
        {
            flood.Add(await ScriptedPeer.ConnectAsync($"tcp://127.0.0.1:{port}", from: "127.0.0.1"));
            await flood[i].ReceiveAsync(64);
        }

        for (var i = 0; i < 18; i++)
        {
            Assert.Empty(await flood[i].ReceiveToEndAsync());
            var e = await closed.Reader.ReadAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.StartsWith("127.0.0.1:", e.Remote, StringComparison.Ordinal);
            Assert.Equal(ProtocolError.TooManyHandshakes, Assert.IsType<ZmtpProtocolException>(e.Error).Error);
        }

        await other.SendAsync(ZmtpBytes.Greeting(), ZmtpBytes.Ready("PUSH"));
        await other.ExpectAsync(ZmtpBytes.Ready("PULL"));
        foreach (var peer in flood) await peer.DisposeAsync();
    }

    [Theory] // libzmq's blind high-water mark, and limits of our own.
    [InlineData("a million parts", "PUSH", ProtocolError.TooManyFrames)]
    [InlineData("a topic of 1 MiB", "SUB", ProtocolError.CommandTooLarge)]
    [InlineData("a topic of 5 KiB", "SUB", ProtocolError.TopicTooLong)]
    [InlineData("a topic of 5 KiB as a message", "SUB", ProtocolError.TopicTooLong)]
    [InlineData("junk to a publisher", "SUB", ProtocolError.UnexpectedMessage)]
    [InlineData("large junk to a publisher", "SUB", ProtocolError.UnexpectedMessage)]
    [InlineData("messages to a sender", "PULL", ProtocolError.UnexpectedMessage)]
    [InlineData("a thousand and one subscriptions", "SUB", ProtocolError.TooManySubscriptions)]
    public async Task Is_closed(string what, string theirs, ProtocolError expected)
    {
        var bytes = what switch
        {
            "a million parts" => [.. Enumerable.Repeat(ZmtpBytes.Frame([], more: true), 1_000_000).SelectMany(frame => frame)],
            "a topic of 1 MiB" => ZmtpBytes.Subscribe(new string('t', 1 << 20)),
            "a topic of 5 KiB" => ZmtpBytes.Subscribe(new string('t', 5 << 10)),
            "a topic of 5 KiB as a message" => ZmtpBytes.Frame([1, .. new byte[5 << 10]]),
            "a thousand and one subscriptions" => [.. Enumerable.Range(0, 1_001).SelectMany(i => ZmtpBytes.Subscribe($"{i}"))],
            "large junk to a publisher" => [.. Enumerable.Range(0, 101).SelectMany(_ => ZmtpBytes.Message(new byte[100_000]))],
            _ => [.. Enumerable.Range(0, 101).SelectMany(_ => ZmtpBytes.Message("junk", "junk"))],
        };
        await using ZmtpSocket socket = theirs switch { "PUSH" => new PullSocket(Quiet()), "SUB" => new PubSocket(Quiet()), _ => new PushSocket(Quiet()) };
        var reason = await ConverseAsync(socket, ZmtpBytes.Concat(ZmtpBytes.Greeting(), ZmtpBytes.Ready(theirs), bytes));
        Assert.Equal(expected, Assert.IsType<ZmtpProtocolException>(reason).Error);
    }

    [Fact]
    public async Task A_second_peer_with_an_identity_in_use_is_refused_and_gets_nothing()
    {
        await using var socket = new RouterSocket();
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        await using var first = await ScriptedPeer.ConnectAsync(endpoint);
        await first.HandshakeAsync("DEALER", identity: "same"u8.ToArray());
        await first.SendAsync(ZmtpBytes.Message("here"));
        using (var message = await socket.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Assert.Equal("same", message.Text(0));
        await using var second = await ScriptedPeer.ConnectAsync(endpoint);
        await second.HandshakeAsync("DEALER", identity: "same"u8.ToArray());
        Assert.Empty(await second.ReceiveToEndAsync());
        Assert.True(socket.Send(Message.Of("same", "for the first")));
        await first.ExpectAsync(ZmtpBytes.Message("for the first"));
        Assert.False(socket.Send(Message.Of("nobody", "lost")));
        Assert.Equal(1, socket.Dropped);
    }

    private static ZmtpOptions Quiet() => new() { HandshakeTimeout = TimeSpan.Zero, MaxSubscriptions = 1_000 };

    private static async Task<Exception?> ConverseAsync(ZmtpSocket owner, byte[] bytes)
    {
        var link = new ScriptLink();
        link.Say(bytes);
        return await new WirePeer(link, "", false, owner.Type, Quiet(), new NullMechanism(owner.Type, []), owner).RunAsync(default);
    }
}
