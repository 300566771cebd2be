using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Transports;
using Zmtp.Transports.WebSockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Transports;

/// <summary>Conversations of libzmq 4.3.4 over ws://, replayed in both roles: what is heard, and every unit of what we answer.</summary>
public class ZwsVectorTests
{
    [Theory]
    [InlineData("zws-null-req-rep", SocketType.Req, SocketType.Rep)]
    [InlineData("zws-plain-req-rep", SocketType.Req, SocketType.Rep)]
    [InlineData("zws-null-sub-xpub", SocketType.Sub, SocketType.XPub)]
    [InlineData("zws-bare-router", SocketType.Dealer, SocketType.Router)]
    [InlineData("zws-heartbeat-close", SocketType.Push, SocketType.Pull)]
    public async Task A_captured_conversation_is_held_by_either_side_at_every_split(string name, SocketType client, SocketType server)
    {
        var vector = VectorFile.Load(name);
        foreach (var offset in Offsets(vector.ClientToServer)) await ReplayAsync(vector, asClient: true, offset, server);
        foreach (var offset in Offsets(vector.ServerToClient)) await ReplayAsync(vector, asClient: false, offset, client);
    }

    private static async Task ReplayAsync(VectorFile vector, bool asClient, int offset, SocketType ours)
    {
        var isBare = vector.Name.Contains("bare", StringComparison.Ordinal);
        var options = Options(vector, asClient);
        var owner = new RecordingOwner();
        await using var conversation = new ZwsConversation(vector, asClient, offset, message => SayAsync(owner, ours, message));
        string[] spoken = isBare && !asClient ? ["ZWS2.0"] : [.. WebSocketSession.Subprotocols(options)];
        var path = Encoding.ASCII.GetString(vector.ClientToServer[0]).Split(' ')[1];
        await using var link = new WebSocketLink(conversation, isClient: !asClient, ZmtpEndpoint.Parse($"ws://127.0.0.1:80{path}"), options, spoken);
        var reason = await new WirePeer(link, "vector", isOutgoing: !asClient, ours, options, options.CreateMechanism(ours), owner).RunAsync(default);
        Assert.Null(reason);
        Assert.Equal(conversation.Expected, conversation.Sent);
        var (messages, subscriptions) = Heard((asClient ? vector.ClientToServer : vector.ServerToClient).Skip(isBare ? 2 : 1), ours);
        Assert.Equal(messages, owner.Messages.Select(message => string.Join('|', message.Select(Convert.ToHexString))));
        Assert.Equal(subscriptions, owner.Subscriptions);
        if (isBare) Assert.Equal(asClient ? "my-id" : "", Encoding.ASCII.GetString((await owner.ReadyAsync()).Identity));
    }

    private static ZmtpOptions Options(VectorFile vector, bool asClient)
    {
        var options = new ZmtpOptions { HandshakeTimeout = TimeSpan.Zero };
        if (vector.Name.Contains("bare", StringComparison.Ordinal) && !asClient) options.Identity = "my-id"u8.ToArray();
        if (!vector.Name.Contains("plain", StringComparison.Ordinal)) return options;
        if (asClient) (options.PlainServer, options.Authenticator) = (true, new Admin());
        else (options.PlainUserName, options.PlainPassword) = ("admin", "secret");
        return options;
    }

    private static async Task SayAsync(RecordingOwner owner, SocketType ours, byte[][] frames)
    {
        var peer = await owner.ReadyAsync();
        if (ours == SocketType.Sub)
        {
            peer.SendSubscription(frames[0].AsSpan(1), frames[0][0] == 1);
            return;
        }

        using var message = Message.Of(frames);
        Assert.True(peer.TrySend(message));
    }

    private static (List<string> Messages, List<string> Subscriptions) Heard(IEnumerable<byte[]> units, SocketType ours)
    {
        List<string> messages = [], subscriptions = [], frames = [];
        foreach (var unit in units)
        {
            if (ZwsConversation.FrameOf(unit) is not var (body, more)) continue;
            if (ours == SocketType.XPub)
            {
                subscriptions.Add((body[0] == 1 ? "+" : "-") + Encoding.Latin1.GetString(body, 1, body.Length - 1));
                continue;
            }

            frames.Add(Convert.ToHexString(body));
            if (more) continue;
            messages.Add(string.Join('|', frames));
            frames.Clear();
        }

        return (messages, subscriptions);
    }

    /// <summary>Byte by byte (-1), unsplit, and every split in two; of a long stream those around the bounds of its units.</summary>
    private static IEnumerable<int> Offsets(byte[][] units)
    {
        var total = units.Sum(unit => unit.Length);
        if (total < 2_000) return Enumerable.Range(-1, total + 1);
        var ends = units.Select((_, i) => units.Take(i + 1).Sum(unit => unit.Length));
        return [-1, 0, .. ends.SelectMany(end => Enumerable.Range(Math.Max(1, end - 12), 24)).Where(offset => offset < total).Distinct()];
    }

    private sealed class Admin : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
        {
            Assert.Equal(("PLAIN", "admin", "secret"), (request.Mechanism, Encoding.ASCII.GetString(request.Credentials[0]), Encoding.ASCII.GetString(request.Credentials[1])));
            return new(new AuthenticationResult(200));
        }
    }
}
