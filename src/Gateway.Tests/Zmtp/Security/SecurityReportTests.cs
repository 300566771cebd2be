using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Authentication;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Security;

/// <summary>libzmq's security reports about mechanisms, each as a test: what it costs is the connection that does it.</summary>
[Collection("Alone")]
public class SecurityReportTests
{
    private static readonly CurveKeyPair ServerKeys = CurveKeyPair.Generate();
    private static readonly (FrameFlags, byte[])[] ThreeMessages = [(FrameFlags.None, [1]), (FrameFlags.None, [2]), (FrameFlags.None, [3])];

    [Theory] // CVE-2014-7202: the peer's greeting chose the mechanism.
    [InlineData("CURVE", "NULL")]
    [InlineData("CURVE", "PLAIN")]
    [InlineData("PLAIN", "NULL")]
    [InlineData("PLAIN", "CURVE")]
    [InlineData("NULL", "CURVE")]
    public async Task CVE_2014_7202_A_greeting_cannot_choose_a_weaker_mechanism(string ours, string theirs)
    {
        var bytes = ZmtpBytes.Concat(ZmtpBytes.Greeting(mechanism: theirs), ZmtpBytes.Ready("DEALER"), ZmtpBytes.Message("never"));
        await AssertClosedBeforeAnythingAsync(ours, bytes, ProtocolError.MechanismMismatch);
    }

    [Theory] // CVE-2014-9721: a header of ZMTP 1 or 2 skipped the mechanism.
    [InlineData("CURVE", "0100", ProtocolError.NotZmtp)]
    [InlineData("PLAIN", "0100", ProtocolError.NotZmtp)]
    [InlineData("CURVE", "FF00000000000000017F0105", ProtocolError.UnsupportedVersion)]
    [InlineData("PLAIN", "FF00000000000000017F0105", ProtocolError.UnsupportedVersion)]
    [InlineData("PLAIN", "FF00000000000000017F0005", ProtocolError.UnsupportedVersion)]
    public async Task CVE_2014_9721_An_old_version_does_not_get_around_security(string ours, string hex, ProtocolError expected) =>
        await AssertClosedBeforeAnythingAsync(ours, ZmtpBytes.Concat(Convert.FromHexString(hex), [0, 0], ZmtpBytes.Message("never")), expected);

    [Fact] // CVE-2014-7203: the short nonce was not checked.
    public async Task CVE_2014_7203_A_replayed_MESSAGE_closes_and_is_not_delivered()
    {
        var (owner, reason) = await ConverseAsync("CURVE", spoil: (unit, bytes) => unit == 4 ? [.. bytes, .. bytes] : bytes);
        Assert.Equal(ProtocolError.ReplayedNonce, Assert.IsType<ZmtpProtocolException>(reason).Error);
        Assert.Equal([2, 1], owner.Messages.Select(message => (int)message[0][0]).Reverse());
    }

    [Fact]
    public async Task CVE_2014_7203_A_MESSAGE_out_of_order_closes_and_is_not_delivered()
    {
        byte[] held = [];
        var (owner, reason) = await ConverseAsync("CURVE", spoil: (unit, bytes) =>
        {
            if (unit == 4) return [.. bytes, .. held];
            if (unit != 3) return bytes;
            held = bytes;
            return [];
        });
        Assert.Equal(ProtocolError.ReplayedNonce, Assert.IsType<ZmtpProtocolException>(reason).Error);
        Assert.Equal(2, Assert.Single(owner.Messages)[0][0]);
    }

    [Theory] // CVE-2019-13132: INITIATE with more than 256 bytes of metadata overran a buffer.
    [InlineData("NULL", true)]
    [InlineData("PLAIN", true)]
    [InlineData("CURVE", true)]
    [InlineData("PLAIN", false)]
    [InlineData("CURVE", false)]
    public async Task CVE_2019_13132_Metadata_of_any_length_are_taken_or_refused(string mechanism, bool weAreServer)
    {
        foreach (var length in (int[])[0, 1, 3, 127, 199, 200, 201, 255, 256, 257, 499, 1_023, 1_900, 2_047, 2_048, 4_001, 7_500, 8_191, 8_192, 16_385, 32_767, 65_535, 65_536])
        {
            var (_, reason) = await ConverseAsync(mechanism, weAreServer, own: new() { ["X-Long"] = new byte[length] });
            if (length <= 1_900 || (mechanism == "CURVE" && length <= 7_500)) Assert.Null(reason);
            else if (reason is not null) Assert.Equal(ProtocolError.CommandTooLarge, Assert.IsType<ZmtpProtocolException>(reason).Error);
            if (length >= 8_192) Assert.NotNull(reason);
        }
    }

    [Theory]
    [InlineData("NULL", true)]
    [InlineData("PLAIN", true)]
    [InlineData("CURVE", true)]
    [InlineData("PLAIN", false)]
    [InlineData("CURVE", false)]
    public async Task CVE_2019_13132_Metadata_that_are_malformed_are_refused(string mechanism, bool weAreServer)
    {
        // A name with a space, an empty one, the standard ones twice, and more properties than there may be.
        Dictionary<string, byte[]>[] malformed =
        [
            new() { ["a b"] = [] }, new() { [""] = [1] }, new() { ["socket-type"] = "PUB"u8.ToArray() }, new() { ["IDENTITY"] = [1] },
            Enumerable.Range(0, 65).ToDictionary(i => $"X-{i}", _ => Array.Empty<byte>(), StringComparer.Ordinal),
        ];
        foreach (var own in malformed)
        {
            var (owner, reason) = await ConverseAsync(mechanism, weAreServer, own);
            Assert.Equal(ProtocolError.MalformedMetadata, Assert.IsType<ZmtpProtocolException>(reason).Error);
            Assert.Empty(owner.Messages);
        }
    }

    [Theory]
    [InlineData("READY", "NULL")]
    [InlineData("INITIATE", "PLAIN")]
    public async Task CVE_2019_13132_Metadata_with_a_length_that_lies_are_refused(string command, string mechanism)
    {
        var valid = ZmtpBytes.Property("Socket-Type", "DEALER"u8.ToArray());
        foreach (var announced in (uint[])[7, 255, 65_536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
        {
            byte[] lie = [.. valid, 1, (byte)'X', .. BitConverter.GetBytes(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(announced)), 1, 2, 3];
            foreach (var cut in Enumerable.Range(valid.Length + 1, lie.Length - valid.Length))
            {
                var hello = mechanism == "PLAIN" ? ZmtpBytes.Command("HELLO", [3, .. "joe"u8, 6, .. "secret"u8]) : [];
                var (_, reason) = await SayAsync(mechanism, ZmtpBytes.Concat(ZmtpBytes.Greeting(mechanism: mechanism), hello, ZmtpBytes.Command(command, lie[..cut])));
                Assert.Equal(ProtocolError.MalformedMetadata, Assert.IsType<ZmtpProtocolException>(reason).Error);
            }
        }
    }

    [Theory] // CVE-2020-15166: peers were attached before their handshake, and starved the real ones.
    [InlineData("NULL")]
    [InlineData("PLAIN")]
    [InlineData("CURVE")]
    public async Task CVE_2020_15166_A_thousand_silent_connections_get_no_message_and_keep_nobody_out(string mechanism)
    {
        // The limits are the defaults: those that stay silent are closed for those that come.
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = Options(mechanism, server: true);
        options.Events = e =>
        {
            if (e.Kind == SocketEventKind.Disconnected) gone.TrySetResult();
        };
        await using var socket = new PushSocket(options);
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        await using var early = new PullSocket(Options(mechanism, server: false));
        early.Connect(endpoint);
        await RoundAsync(early, "early");
        var silent = new List<ScriptedPeer>();
        for (var i = 0; i < 1_000; i++) silent.Add(await ScriptedPeer.ConnectAsync(endpoint));
        await RoundAsync(early, "during");
        await early.DisposeAsync();
        await gone.Task.WaitAsync(ScriptedPeer.Patience);
        await using var late = new PullSocket(Options(mechanism, server: false));
        late.Connect(endpoint);
        await RoundAsync(late, "late");
        // A message to a silent connection would have followed the greeting.
        foreach (var peer in silent.TakeLast(100)) Assert.Equal(0xFF, (await peer.ReceiveAsync(64))[0]);
        await socket.DisposeAsync();
        foreach (var peer in silent.TakeLast(100)) Assert.Empty(await peer.ReceiveToEndAsync());
        foreach (var peer in silent) await peer.DisposeAsync();

        async Task RoundAsync(PullSocket pull, string name)
        {
            for (var i = 0; i < 100; i++)
            {
                await socket.SendAsync(Message.Of($"{name} {i}")).AsTask().WaitAsync(ScriptedPeer.Patience);
                using var message = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
                Assert.Equal($"{name} {i}", message.Text(0));
            }
        }
    }

    [Fact]
    public async Task A_key_of_low_order_is_refused_at_HELLO()
    {
        // With such a key the shared secret would be zero, and known to everybody.
        foreach (var first in (byte[])[0, 1])
        {
            var hello = new byte[194];
            (hello[0], hello[74]) = (1, first);
            var (_, reason) = await SayAsync("CURVE", ZmtpBytes.Concat(ZmtpBytes.Greeting(mechanism: "CURVE"), ZmtpBytes.Command("HELLO", hello)));
            Assert.Equal(ProtocolError.BrokenBox, Assert.IsType<ZmtpProtocolException>(reason).Error);
        }
    }

    [Theory]
    [InlineData("NULL")]
    [InlineData("PLAIN")]
    [InlineData("CURVE")]
    public async Task A_command_that_is_too_large_is_refused_by_its_header(string mechanism)
    {
        var (link, options) = (new ScriptLink(), Options(mechanism, server: true));
        link.Say(ZmtpBytes.Concat(ZmtpBytes.Greeting(mechanism: mechanism), ZmtpBytes.LongHeader(4, 1 << 20), new byte[1 << 20]), static () => 64);
        var peer = new WirePeer(link, "", false, SocketType.Router, options, options.CreateMechanism(SocketType.Router), new RecordingOwner());
        Assert.Equal(ProtocolError.CommandTooLarge, Assert.IsType<ZmtpProtocolException>(await peer.RunAsync(default)).Error);
        Assert.InRange(peer.BytesIn, 64, 128);
    }

    private static async Task AssertClosedBeforeAnythingAsync(string ours, byte[] bytes, ProtocolError expected)
    {
        var (owner, reason) = await SayAsync(ours, bytes);
        Assert.Equal(expected, Assert.IsType<ZmtpProtocolException>(reason).Error);
        Assert.Empty(owner.Messages);
        Assert.Equal(0, owner.Gone);
    }

    private static async Task<(RecordingOwner Owner, Exception? Reason)> SayAsync(string ours, byte[] bytes)
    {
        var (owner, link, options) = (new RecordingOwner(), new ScriptLink(), Options(ours, server: true));
        link.Say(bytes);
        return (owner, await new WirePeer(link, "", false, SocketType.Router, options, options.CreateMechanism(SocketType.Router), owner).RunAsync(default));
    }

    /// <summary>A whole conversation between a connection under test and a mechanism at the other end: three messages, then the end.</summary>
    private static async Task<(RecordingOwner Owner, Exception? Reason)> ConverseAsync(
        string mechanism, bool weAreServer = true, Dictionary<string, byte[]>? own = null, Func<int, byte[], byte[]>? spoil = null)
    {
        var (owner, options) = (new RecordingOwner(), Options(mechanism, weAreServer));
        var far = Options(mechanism, !weAreServer).CreateMechanism(SocketType.Dealer);
        if (own is not null) far.OwnMetadata = own;
        var link = new MechanismLink(far, ThreeMessages, spoil);
        return (owner, await new WirePeer(link, "", false, SocketType.Router, options, options.CreateMechanism(SocketType.Router), owner).RunAsync(default));
    }

    private static ZmtpOptions Options(string mechanism, bool server) => (mechanism, server) switch
    {
        ("PLAIN", true) => new ZmtpOptions { PlainServer = true, Authenticator = new AllowList(new AllowListOptions { Users = new Dictionary<string, string>(StringComparer.Ordinal) { ["joe"] = "secret" } }) },
        ("PLAIN", false) => new ZmtpOptions { PlainUserName = "joe", PlainPassword = "secret" },
        ("CURVE", true) => new ZmtpOptions { CurveServer = true, CurveKeys = ServerKeys, CurveAllowAny = true },
        ("CURVE", false) => new ZmtpOptions { CurveKeys = CurveKeyPair.Generate(), CurveServerKey = ServerKeys.PublicKey },
        _ => new ZmtpOptions(),
    };
}
