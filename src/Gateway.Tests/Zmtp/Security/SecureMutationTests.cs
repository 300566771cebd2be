using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Authentication;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Security;

/// <summary>
/// Conversations of PLAIN and CURVE, spoiled in a place or two: in the greeting, in a command of the handshake, in encrypted traffic. The seed is
/// fixed. After each of them a well-behaved peer has to get through.
/// </summary>
public class SecureMutationTests
{
    private static readonly CurveKeyPair ServerKeys = CurveKeyPair.Generate();
    private static readonly byte[][] Bodies = [[.. "one"u8], [], new byte[300], [.. "last"u8]];

    [Theory]
    [InlineData("PLAIN", true, 8_000)]
    [InlineData("PLAIN", false, 8_000)]
    [InlineData("CURVE", true, 1_000)]
    [InlineData("CURVE", false, 1_000)]
    public async Task A_spoiled_conversation_costs_its_connection_and_nothing_else(string mechanism, bool weAreServer, int inputs)
    {
        var random = new Random(inputs + (weAreServer ? 1 : 2));
        await using var socket = new RouterSocket(Options(mechanism, weAreServer));
        var (theirs, errors) = (Options(mechanism, !weAreServer), new HashSet<ProtocolError>());
        for (var i = 0; i < inputs; i++)
        {
            var (target, changes) = (random.Next(9), random.Next(1, 3));
            var reason = await RunAsync(socket, mechanism, weAreServer, theirs, Traffic(random), (unit, bytes) => unit == target ? Spoil(random, bytes, changes) : bytes);
            Assert.True(reason is null or ZmtpException, $"input {i}, unit {target}: {reason}");
            errors.Add(reason is ZmtpProtocolException broken ? broken.Error : ProtocolError.None);
            // Whatever was changed under encryption, nothing comes through that was not sent.
            Drain(socket, message => Assert.True(mechanism != "CURVE" || Enumerable.Range(1, message.Count - 1).All(f => Bodies.Any(body => message[f].Span.SequenceEqual(body)))));
            Assert.Null(await RunAsync(socket, mechanism, weAreServer, theirs, [(FrameFlags.None, Bodies[0])], null));
            var good = 0;
            Drain(socket, message => good += message.Text(1) == "one" ? 1 : 0);
            Assert.Equal(1, good);
        }

        // The mutations reach what they are meant to reach.
        HashSet<ProtocolError> expected = [ProtocolError.None, ProtocolError.NotZmtp, ProtocolError.MechanismMismatch, ProtocolError.UnexpectedCommand, ProtocolError.MalformedCommand];
        expected.UnionWith(mechanism == "CURVE"
            ? [ProtocolError.BrokenBox, ProtocolError.ReplayedNonce, ProtocolError.MalformedPing]
            : weAreServer ? [ProtocolError.Unauthorized, ProtocolError.MalformedMetadata, ProtocolError.UnknownSocketType] : [ProtocolError.MalformedMetadata, ProtocolError.UnknownSocketType]);
        Assert.Superset(expected, errors);
    }

    /// <summary>What a peer says inside its encryption: sound frames, and commands that break a rule.</summary>
    private static List<(FrameFlags Flags, byte[] Body)> Traffic(Random random)
    {
        var traffic = new List<(FrameFlags, byte[])>();
        for (var i = random.Next(1, 6); i > 0; i--)
        {
            byte[] ping = [4, .. "PING"u8, .. new byte[random.Next(0, 22)]];
            traffic.Add(random.Next(12) switch
            {
                0 => (FrameFlags.Command, ping),
                1 => (FrameFlags.Command, [9, .. "SUBSCRIBE"u8, 65]),
                2 => (FrameFlags.Command, new byte[random.Next(0, 4)]),
                3 => (FrameFlags.More, Bodies[random.Next(Bodies.Length)]),
                _ => (FrameFlags.None, Bodies[random.Next(Bodies.Length)]),
            });
        }

        return traffic;
    }

    private static byte[] Spoil(Random random, byte[] unit, int changes)
    {
        var bytes = unit.ToList();
        for (var i = 0; i < changes && bytes.Count > 0; i++)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(7))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 12), bytes.Count - at));
                    break;
                case 4:
                    bytes.InsertRange(at, new byte[random.Next(1, 40)]);
                    break;
                case 5:
                    // The unit twice: a replay.
                    bytes.AddRange(unit);
                    break;
                default:
                    bytes[Math.Min(at, random.Next(12))] = (byte)random.Next(256);
                    break;
            }
        }

        return [.. bytes];
    }

    private static async Task<Exception?> RunAsync(
        RouterSocket socket, string mechanism, bool weAreServer, ZmtpOptions theirs, IReadOnlyList<(FrameFlags, byte[])> traffic, Func<int, byte[], byte[]>? spoil)
    {
        var options = Options(mechanism, weAreServer);
        var link = new MechanismLink(theirs.CreateMechanism(SocketType.Dealer), traffic, spoil);
        var running = new WirePeer(link, "", isOutgoing: false, SocketType.Router, options, options.CreateMechanism(SocketType.Router), socket).RunAsync(default);
        Assert.True(running.IsCompleted, "the connection hangs");
        return await running;
    }

    private static void Drain(RouterSocket socket, Action<Message> check)
    {
        while (socket.TryReceive(out var message))
        {
            using (message) check(message);
        }
    }

    private static readonly AllowList Users = new(new AllowListOptions { Users = new Dictionary<string, string>(StringComparer.Ordinal) { ["joe"] = "secret" } });
    private static readonly CurveKeyPair ClientKeys = CurveKeyPair.Generate();

    private static ZmtpOptions Options(string mechanism, bool server)
    {
        var options = new ZmtpOptions { HandshakeTimeout = TimeSpan.Zero, ReceiveHighWaterMark = 0, ReceiveHighWaterMarkBytes = 0 };
        if (mechanism == "PLAIN" && server) (options.PlainServer, options.Authenticator) = (true, Users);
        else if (mechanism == "PLAIN") (options.PlainUserName, options.PlainPassword) = ("joe", "secret");
        else if (server) (options.CurveServer, options.CurveKeys, options.CurveAllowAny) = (true, ServerKeys, true);
        else (options.CurveKeys, options.CurveServerKey) = (ClientKeys, ServerKeys.PublicKey);
        return options;
    }
}
