using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Security;

/// <summary>Recorded PLAIN, CURVE and refused handshakes of libzmq 4.3.4, replayed to a connection as its peer, split at every byte.</summary>
public class MechanismVectorTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PLAIN_is_spoken_as_recorded_by_either_side_at_every_split(bool weAreServer)
    {
        var vector = VectorFile.Load("zmtp-plain-ok");
        var (said, answers) = weAreServer ? (vector.ClientToServer, vector.ServerToClient) : (vector.ServerToClient, vector.ClientToServer);
        foreach (var offset in Offsets(said))
        {
            var run = await RunAsync(said, offset, weAreServer ? SocketType.Rep : SocketType.Req, weAreServer ? Server(200) : new ZmtpOptions { PlainUserName = "admin", PlainPassword = "secret" });
            Assert.Null(run.Reason);
            Assert.Equal([[], Encoding.ASCII.GetBytes(weAreServer ? "hello" : "world")], Assert.Single(run.Messages));
            // WELCOME and READY, or HELLO and INITIATE, to the byte.
            Assert.Equal(Convert.ToHexString(ZmtpBytes.Concat(answers[3], answers[4])), Convert.ToHexString(run.Sent.AsSpan(64)));
        }
    }

    [Theory]
    [InlineData(300)]
    [InlineData(400)]
    [InlineData(500)]
    public async Task A_PLAIN_refusal_is_understood_and_given(int status)
    {
        var vector = VectorFile.Load($"zmtp-plain-refused-{status}");
        foreach (var offset in Offsets(vector.ServerToClient))
        {
            var asClient = await RunAsync(vector.ServerToClient, offset, SocketType.Req, new ZmtpOptions { PlainUserName = "admin", PlainPassword = "wrong" });
            // 300 is a close without a word.
            if (status == 300) Assert.IsNotType<ZmtpProtocolException>(asClient.Reason);
            else Assert.Contains($"RefusedByPeer ({status})", asClient.Reason!.Message, StringComparison.Ordinal);
            Assert.NotNull(asClient.Reason);
        }

        foreach (var offset in Offsets(vector.ClientToServer))
        {
            var asServer = await RunAsync(vector.ClientToServer, offset, SocketType.Rep, Server(status));
            Assert.Equal(ProtocolError.Unauthorized, Assert.IsType<ZmtpProtocolException>(asServer.Reason).Error);
            // Spelled right, unlike libzmq's.
            Assert.Equal(status == 300 ? "" : Convert.ToHexString(ZmtpBytes.Command("ERROR", [3, .. Encoding.ASCII.GetBytes($"{status}")])), Convert.ToHexString(asServer.Sent.AsSpan(64)));
        }
    }

    [Fact]
    public async Task A_refusal_of_NULL_by_ZAP_is_given_as_recorded()
    {
        var vector = VectorFile.Load("zmtp-null-zap-refused");
        var options = new ZmtpOptions { ZapDomain = "global", Authenticator = new Answer(400) };
        foreach (var offset in Offsets(vector.ClientToServer))
        {
            var run = await RunAsync(vector.ClientToServer, offset, SocketType.Rep, options);
            Assert.Equal(ProtocolError.Unauthorized, Assert.IsType<ZmtpProtocolException>(run.Reason).Error);
            Assert.Equal(Convert.ToHexString(vector.ServerToClient[3]), Convert.ToHexString(run.Sent.AsSpan(64)));
        }
    }

    [Fact]
    public async Task A_CURVE_server_of_libzmq_is_understood_at_every_split()
    {
        var (vector, json) = Load("zmtp-curve-known-client");
        foreach (var offset in Offsets(vector.ServerToClient))
        {
            var mechanism = new CurveClientMechanism(
                SocketType.Req, [], LongTerm(json, "client"), LongTerm(json, "server").PublicKey, Pair(json.GetProperty("clientShortTerm")));
            var run = await RunAsync(vector.ServerToClient, offset, SocketType.Req, new ZmtpOptions(), mechanism);
            Assert.Null(run.Reason);
            Assert.Equal([[], "world"u8.ToArray()], Assert.Single(run.Messages));
            // HELLO to the bit, and INITIATE as long as the script's was.
            Assert.Equal(Convert.ToHexString(vector.ClientToServer[3]), Convert.ToHexString(run.Sent.AsSpan(64, 202)));
            Assert.Equal(vector.ClientToServer[4].Length, run.Sent.Length - 64 - 202);
        }
    }

    [Theory]
    [InlineData("zmtp-curve-known-server", SocketType.Rep)]
    [InlineData("zmtp-curve-known-sub", SocketType.Pub)]
    public async Task A_CURVE_client_of_libzmq_is_understood_at_every_split(string name, SocketType ours)
    {
        var (vector, json) = Load(name);
        foreach (var offset in Offsets(vector.ClientToServer))
        {
            var shortTerm = Pair(json.GetProperty("serverShortTerm"));
            var mechanism = new CurveServerMechanism(ours, [], LongTerm(json, "server"), (shortTerm, Hex(json.GetProperty("cookieKey"))));
            var run = await RunAsync(vector.ClientToServer, offset, ours, Server(200), mechanism);
            Assert.Null(run.Reason);
            if (ours == SocketType.Rep)
            {
                Assert.Equal([[], "hello"u8.ToArray()], Assert.Single(run.Messages));
                continue;
            }

            Assert.Equal(["+A", "-A"], run.Subscriptions);
            // The PING inside a box was answered inside a box: the last frame that left.
            Assert.Equal("0204504F4E47", Open(run.Sent.AsSpan(run.Sent.Length - 38).ToArray(), Hex(json.GetProperty("clientShortTermPublic")), shortTerm.SecretKey));
        }
    }

    [Theory]
    [InlineData("zmtp-curve-ok")]
    [InlineData("zmtp-curve-refused")]
    public async Task A_recorded_CURVE_handshake_opens_nothing_a_second_time(string name)
    {
        var (vector, json) = Load(name);
        // HELLO is sound, for it was made for this key; the cookie in INITIATE is another connection's.
        var asServer = await RunAsync(vector.ClientToServer, 0, SocketType.Rep, Server(200), new CurveServerMechanism(SocketType.Rep, [], LongTerm(json, "server")));
        Assert.Equal(ProtocolError.BrokenBox, Assert.IsType<ZmtpProtocolException>(asServer.Reason).Error);
        Assert.Empty(asServer.Messages);
        var asClient = await RunAsync(vector.ServerToClient, 0, SocketType.Req, new ZmtpOptions(), new CurveClientMechanism(SocketType.Req, [], LongTerm(json, "client"), LongTerm(json, "server").PublicKey));
        Assert.Equal(ProtocolError.BrokenBox, Assert.IsType<ZmtpProtocolException>(asClient.Reason).Error);
        Assert.Empty(asClient.Messages);
    }

    [Fact]
    public async Task A_CURVE_refusal_is_told_with_its_status()
    {
        var (vector, json) = Load("zmtp-curve-refused");
        var mechanism = new CurveClientMechanism(SocketType.Req, [], LongTerm(json, "client"), LongTerm(json, "server").PublicKey);
        var run = await RunAsync([.. vector.ServerToClient[..3], vector.ServerToClient[4]], 0, SocketType.Req, new ZmtpOptions(), mechanism);
        Assert.Contains("RefusedByPeer (400)", run.Reason!.Message, StringComparison.Ordinal);
    }

    /// <summary>Every split in two, all at once, and (-1) byte by byte.</summary>
    private static IEnumerable<int> Offsets(byte[][] units) => Enumerable.Range(-1, units.Sum(unit => unit.Length) + 1);

    private static async Task<Outcome> RunAsync(byte[][] said, int offset, SocketType ours, ZmtpOptions options, Mechanism? mechanism = null)
    {
        var link = new ScriptLink { Sent = new byte[8192] };
        var first = offset > 0;
        link.Say(ZmtpBytes.Concat(said), () =>
        {
            if (offset < 0) return 1;
            (var size, first) = (first ? offset : int.MaxValue, false);
            return size;
        });
        var owner = new RecordingOwner();
        options.HandshakeTimeout = TimeSpan.Zero;
        var reason = await new WirePeer(link, "script", false, ours, options, mechanism ?? options.CreateMechanism(ours), owner).RunAsync(default);
        return new Outcome(reason, owner.Messages, owner.Subscriptions, link.SentBytes.ToArray());
    }

    private static string Open(byte[] frame, byte[] theirs, byte[] ours)
    {
        // Frame header, name, the short nonce, the box.
        Assert.Equal("\u0007MESSAGE", Encoding.ASCII.GetString(frame, 0, 8));
        var (shared, nonce) = (new byte[Sodium.KeySize], new byte[Sodium.NonceSize]);
        Assert.True(Sodium.TrySharedKey(shared, theirs, ours));
        CurveNonce.Short(nonce, "CurveZMQMESSAGES"u8, BinaryPrimitives.ReadUInt64BigEndian(frame.AsSpan(8)));
        var plaintext = new byte[frame.Length - 16 - Sodium.MacSize];
        Assert.True(Sodium.TryOpen(plaintext, frame.AsSpan(16), nonce, shared));
        return Convert.ToHexString(plaintext);
    }

    private static (VectorFile Vector, JsonElement Json) Load(string name) =>
        (VectorFile.Load(name), JsonDocument.Parse(File.ReadAllText(SourceTree.PathOf($"src/Gateway.Tests/Vectors/{name}.json"))).RootElement);

    private static CurveKeyPair LongTerm(JsonElement json, string side)
    {
        var keys = json.GetProperty("keys").GetProperty(side);
        return new CurveKeyPair(Hex(keys.GetProperty("public").GetProperty("hex")), Hex(keys.GetProperty("secret").GetProperty("hex")));
    }

    private static CurveKeyPair Pair(JsonElement keys) => new(Hex(keys.GetProperty("public")), Hex(keys.GetProperty("secret")));

    private static byte[] Hex(JsonElement text) => Convert.FromHexString(text.GetString()!);

    private static ZmtpOptions Server(int status) => new() { PlainServer = true, Authenticator = new Answer(status) };

    private sealed record Outcome(Exception? Reason, List<byte[][]> Messages, List<string> Subscriptions, byte[] Sent);

    private sealed class Answer(int status) : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
        {
            if (request.Mechanism == "PLAIN") Assert.Equal("admin", Encoding.ASCII.GetString(request.Credentials[0]));
            return new(new AuthenticationResult(status));
        }
    }
}
