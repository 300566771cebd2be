using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Sockets;

public class HandshakeTests
{
    [Fact]
    public async Task A_peer_that_greets_in_steps_and_speaks_3_0_is_understood()
    {
        // NetMQ: ten bytes, then waits for ours, the major version, waits again, and the rest. It ignores commands.
        await using var pair = WirePair.Start(SocketType.Sub);
        var greeting = ZmtpBytes.Greeting(minor: 0);
        await pair.Other.SendAsync(greeting[..10]);
        var ours = await pair.Other.ReceiveAsync(64);
        Assert.Equal((3, 1), (ours[10], ours[11]));
        await pair.Other.SendAsync(greeting[10..11]);
        await pair.Other.SendAsync(greeting[11..]);
        await pair.Other.ExpectAsync(ZmtpBytes.Ready("SUB"));
        await pair.Other.SendAsync(ZmtpBytes.Ready("PUB"));
        var peer = await pair.Owner.ReadyAsync();
        peer.SendSubscription("topic"u8, subscribe: true);
        peer.SendSubscription("topic"u8, subscribe: false);
        await pair.Other.ExpectAsync(ZmtpBytes.Frame([1, .. "topic"u8]), ZmtpBytes.Frame([0, .. "topic"u8]));
        // It writes long sizes from 256 bytes on, as everybody does.
        await pair.Other.SendAsync(ZmtpBytes.Message(new byte[256]));
        Assert.Equal(256, (await pair.Owner.NextAsync())[0].Length);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n", ProtocolError.NotZmtp, "HTTP")]
    [InlineData("POST /api", ProtocolError.NotZmtp, "HTTP")]
    [InlineData("\u0016\u0003\u0001\u0002\u0000", ProtocolError.NotZmtp, "TLS")]
    [InlineData("SSH-2.0-OpenSSH\r\n", ProtocolError.NotZmtp, "")]
    [InlineData("\u0001\u0000hello", ProtocolError.NotZmtp, "")] // ZMTP 1.0
    [InlineData("\u00FF\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001\u007F\u0001", ProtocolError.UnsupportedVersion, "")] // ZMTP 2.0
    public async Task Whoever_speaks_something_else_is_refused_with_the_reason(string said, ProtocolError expected, string detail)
    {
        await using var pair = WirePair.Start(SocketType.Router);
        await pair.Other.SendAsync(Encoding.Latin1.GetBytes(said));
        var reason = Assert.IsType<ZmtpProtocolException>(await pair.EndAsync());
        Assert.Equal(expected, reason.Error);
        Assert.Contains(detail, reason.Message, StringComparison.Ordinal);
        // Nothing but our greeting has left.
        Assert.Equal(64, (await pair.Other.ReceiveToEndAsync()).Length);
    }

    [Theory]
    [InlineData("CURVE", ProtocolError.MechanismMismatch)]
    [InlineData("PLAIN", ProtocolError.MechanismMismatch)]
    public async Task Another_mechanism_is_refused_and_named(string mechanism, ProtocolError expected)
    {
        await using var pair = WirePair.Start(SocketType.Router);
        await pair.Other.SendAsync(ZmtpBytes.Greeting(1, mechanism));
        var reason = Assert.IsType<ZmtpProtocolException>(await pair.EndAsync());
        Assert.Equal(expected, reason.Error);
        Assert.Contains(mechanism, reason.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[], ProtocolError, string> Refused() => new()
    {
        { "a wrong type", ZmtpBytes.Ready("PUB"), ProtocolError.IncompatibleSocketType, "Invalid socket type" },
        { "an unknown type", ZmtpBytes.Ready("\u001b[31mX"), ProtocolError.UnknownSocketType, "Invalid socket type" },
        { "no type", ZmtpBytes.Command("READY"), ProtocolError.UnknownSocketType, "Invalid socket type" },
        { "an identity with a zero", ZmtpBytes.Ready("DEALER", [0, 1]), ProtocolError.MalformedIdentity, "Invalid identity" },
        { "an identity of 256 bytes", ZmtpBytes.Ready("DEALER", [.. new byte[256].Select(_ => (byte)1)]), ProtocolError.MalformedIdentity, "Invalid identity" },
        { "a PING", ZmtpBytes.Ping(), ProtocolError.UnexpectedCommand, "" },
        { "a message", ZmtpBytes.Message("early"), ProtocolError.UnexpectedCommand, "" },
        { "an empty message", ZmtpBytes.Message(""), ProtocolError.UnexpectedCommand, "" },
        { "READY as a message", ZmtpBytes.Frame([5, .. "READY"u8]), ProtocolError.UnexpectedCommand, "" },
        { "an empty command", [4, 0], ProtocolError.MalformedCommand, "" },
        { "2 KiB and a byte", ZmtpBytes.Command("READY", new byte[2043]), ProtocolError.CommandTooLarge, "" },
        { "an ERROR", ZmtpBytes.Command("ERROR", [3, .. "400"u8]), ProtocolError.RefusedByPeer, "" },
    };

    [Theory]
    [Trait("Proves", "libzmq#3072")]
    [MemberData(nameof(Refused))]
    public async Task In_place_of_READY_is_refused(string what, byte[] said, ProtocolError expected, string error)
    {
        await using var pair = WirePair.Start(SocketType.Router);
        await pair.Other.SendAsync(ZmtpBytes.Greeting(), said);
        var reason = Assert.IsType<ZmtpProtocolException>(await pair.EndAsync());
        Assert.True(expected == reason.Error, what);
        Assert.DoesNotContain('\u001b', reason.Message);
        var answer = (await pair.Other.ReceiveToEndAsync()).AsSpan(64 + ZmtpBytes.Ready("ROUTER", []).Length).ToArray();
        Assert.Equal(error.Length == 0 ? [] : ZmtpBytes.Command("ERROR", [(byte)error.Length, .. Encoding.ASCII.GetBytes(error)]), answer);
    }

    [Fact]
    public async Task A_silent_peer_is_given_up_when_its_time_is_over_and_not_before()
    {
        var time = new ManualTimeProvider();
        await using var pair = WirePair.Start(SocketType.Router, options: new ZmtpOptions { Time = time, HandshakeTimeout = TimeSpan.FromSeconds(30) });
        await pair.Other.ReceiveAsync(64);
        await pair.Other.SendAsync(ZmtpBytes.Greeting());
        await pair.Other.ReceiveFrameAsync();
        time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.False(pair.Ended.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(ProtocolError.HandshakeTimeout, Assert.IsType<ZmtpProtocolException>(await pair.EndAsync()).Error);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(int.MaxValue)]
    public async Task Traffic_in_one_burst_with_READY_is_taken(int chop)
    {
        await using var pair = WirePair.Start(SocketType.Router, chop);
        await pair.Other.SendAsync(ZmtpBytes.Concat(ZmtpBytes.Greeting(), ZmtpBytes.Ready("DEALER"), ZmtpBytes.Ping(), ZmtpBytes.Message("a", ""), ZmtpBytes.Ready("DEALER")));
        Assert.Equal(["a", ""], await pair.Owner.NextAsync());
        await pair.Other.ReceiveAsync(64);
        await pair.Other.ExpectAsync(ZmtpBytes.Ready("ROUTER", []), ZmtpBytes.Pong());
    }

    [Fact]
    public async Task A_connection_cut_at_any_byte_delivers_whole_messages_only()
    {
        var bytes = ZmtpBytes.Concat(ZmtpBytes.Greeting(), ZmtpBytes.Ready("DEALER"), ZmtpBytes.Message("one"), ZmtpBytes.Message("two", "parts", "more"));
        var (first, ready) = (bytes.Length - ZmtpBytes.Message("two", "parts", "more").Length, 64 + ZmtpBytes.Ready("DEALER").Length);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var link = new ScriptLink();
            link.Say(bytes.AsMemory(0, cut));
            var owner = new RecordingOwner();
            var reason = await new WirePeer(link, "", false, SocketType.Router, new ZmtpOptions(), new NullMechanism(SocketType.Router, []), owner).RunAsync(default);
            Assert.Equal(cut < first ? 0 : cut < bytes.Length ? 1 : 2, owner.Messages.Count);
            Assert.Equal(cut < ready ? 0 : 1, owner.Gone);
            // Only an end between two messages is an orderly one.
            Assert.Equal(cut == ready || cut == first || cut == bytes.Length, reason is null);
        }
    }

    [Fact]
    public async Task A_reset_at_any_byte_costs_that_connection_alone()
    {
        await using var socket = new PullSocket();
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        var bytes = ZmtpBytes.Concat(ZmtpBytes.Greeting(), ZmtpBytes.Ready("PUSH"), ZmtpBytes.Message("never", "a", "part"));
        for (var cut = 0; cut < bytes.Length; cut++)
        {
            await using var bad = await ScriptedPeer.ConnectAsync(endpoint);
            await bad.SendAsync(bytes[..cut]);
            bad.Reset();
        }

        await using var good = await ScriptedPeer.ConnectAsync(endpoint);
        good.Drips = true;
        await good.HandshakeAsync("PUSH");
        await good.SendAsync(ZmtpBytes.Message("good", "", "byte by byte"));
        using var message = await socket.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal(("good", "byte by byte"), (message.Text(0), message.Text(2)));
        Assert.False(socket.TryReceive(out _));
    }
}
