using System.Buffers.Binary;
using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Wire;

/// <summary>Bytes that libzmq 4.3.4 sent, replayed against a connection as its peer.</summary>
public class VectorTests
{
    private const int HandshakeUnits = 4;

    public static TheoryData<string, bool> Replays()
    {
        var replays = new TheoryData<string, bool>();
        foreach (var name in (string[])["dealer-router", "heartbeat", "pair", "push-pull-sizes", "req-correlate", "req-rep", "sub-pub", "xsub-xpub"])
        {
            replays.Add($"zmtp-null-{name}", true);
            replays.Add($"zmtp-null-{name}", false);
        }

        // Debian's library aborts at these; they come from a build with drafts.
        foreach (var name in (string[])["channel-channel", "client-server", "dish-radio", "peer-peer", "scatter-gather"])
        {
            replays.Add($"zmtp-draft-{name}", true);
            replays.Add($"zmtp-draft-{name}", false);
        }

        // The server's side of this one was a script, and its client's commands are messages.
        replays.Add("zmtp-sub-minor0", true);
        replays.Add("zmtp-sub-minor0", false);
        return replays;
    }

    [Theory]
    [MemberData(nameof(Replays))]
    public async Task A_captured_peer_is_understood_at_every_split(string name, bool asClient)
    {
        var vector = VectorFile.Load(name);
        var (units, answers) = asClient ? (vector.ClientToServer, vector.ServerToClient) : (vector.ServerToClient, vector.ClientToServer);
        var bytes = ZmtpBytes.Concat(units);
        var ours = SocketTypes.Parse(Property(answers[HandshakeUnits - 1], "Socket-Type"));
        var expected = Expected(units.Skip(HandshakeUnits), ours);
        foreach (var offset in Offsets(units)) Assert.Equal(expected, await ReplayAsync(bytes, ours, answers, offset));
        Assert.Equal(expected, await ReplayAsync(bytes, ours, answers, -1));
    }

    [Fact]
    public async Task The_corrupt_stream_of_a_long_topic_closes_the_connection()
    {
        var vector = VectorFile.Load("zmtp-bug-long-topic");
        var (reason, owner, _) = await RunAsync(ZmtpBytes.Concat(vector.ClientToServer), SocketType.Pub, -1);
        Assert.Equal(ProtocolError.MalformedCommand, Assert.IsType<ZmtpProtocolException>(reason).Error);
        // The topic before the corruption is sound.
        Assert.Equal(["+" + new string('t', 245)], owner.Subscriptions);
    }

    [Fact]
    public async Task A_peer_of_the_wrong_type_gets_an_ERROR()
    {
        var vector = VectorFile.Load("zmtp-null-wrong-type");
        var (reason, owner, sent) = await RunAsync(ZmtpBytes.Concat(vector.ServerToClient), SocketType.Push, -1);
        Assert.Equal(ProtocolError.IncompatibleSocketType, Assert.IsType<ZmtpProtocolException>(reason).Error);
        Assert.EndsWith(Convert.ToHexString(ZmtpBytes.Command("ERROR", [19, .. "Invalid socket type"u8])), Convert.ToHexString(sent), StringComparison.Ordinal);
        Assert.Equal(0, owner.Gone);
    }

    [Fact]
    public async Task A_refusal_by_ZAP_is_told_with_its_status()
    {
        var vector = VectorFile.Load("zmtp-null-zap-refused");
        var (reason, _, _) = await RunAsync(ZmtpBytes.Concat(vector.ServerToClient), SocketTypes.Parse(Property(vector.ClientToServer[3], "Socket-Type")), -1);
        Assert.Equal(ProtocolError.RefusedByPeer, Assert.IsType<ZmtpProtocolException>(reason).Error);
        Assert.Contains("400", reason.Message, StringComparison.Ordinal);
    }

    private static async Task<List<string>> ReplayAsync(byte[] bytes, SocketType ours, byte[][] answers, int offset)
    {
        var (reason, owner, sent) = await RunAsync(bytes, ours, offset, Property(answers[HandshakeUnits - 1], "Identity"));
        Assert.Null(reason);
        // What libzmq answered in our place: READY to the byte, then a PONG to each PING.
        var ready = 64 + answers[HandshakeUnits - 1].Length;
        Assert.Equal(Convert.ToHexString(answers[HandshakeUnits - 1]), Convert.ToHexString(sent, 64, ready - 64));
        var found = owner.Messages.Select(message => string.Join('|', message.Select(Convert.ToHexString))).ToList();
        found.AddRange(owner.Subscriptions);
        for (var at = ready; at < sent.Length; at += 2 + sent[at + 1]) found.Add(Convert.ToHexString(sent, at, 2 + sent[at + 1]));
        return found;
    }

    private static async Task<(Exception? Reason, RecordingOwner Owner, byte[] Sent)> RunAsync(
        byte[] bytes, SocketType ours, int offset, byte[]? identity = null)
    {
        var link = new ScriptLink { Sent = new byte[4096] };
        var first = offset > 0;
        link.Say(bytes, () =>
        {
            if (offset < 0) return 1;
            (var size, first) = (first ? offset : int.MaxValue, false);
            return size;
        });
        var owner = new RecordingOwner();
        var peer = new WirePeer(link, "script", isOutgoing: false, ours, new ZmtpOptions(), new NullMechanism(ours, identity ?? []), owner);
        var reason = await peer.RunAsync(default);
        return (reason, owner, link.SentBytes.ToArray());
    }

    private static IEnumerable<int> Offsets(byte[][] units)
    {
        var total = units.Sum(unit => unit.Length);
        if (total < 2_000) return Enumerable.Range(0, total);
        // Long streams: around every boundary of two units.
        var ends = units.Select((_, i) => units.Take(i + 1).Sum(unit => unit.Length));
        return ends.SelectMany(end => Enumerable.Range(Math.Max(0, end - 12), 24)).Where(offset => offset < total);
    }

    private static List<string> Expected(IEnumerable<byte[]> units, SocketType ours)
    {
        List<string> messages = [], subscriptions = [], pongs = [], frames = [];
        foreach (var unit in units)
        {
            var body = unit[((unit[0] & 2) == 0 ? 2 : 9)..];
            var text = Encoding.Latin1.GetString(body);
            if ((unit[0] & 4) != 0)
            {
                if (text.StartsWith("\u0004PING", StringComparison.Ordinal)) pongs.Add(Convert.ToHexString(ZmtpBytes.Pong(text[7..])));
                else if (text.StartsWith("\u0009SUBSCRIBE", StringComparison.Ordinal)) subscriptions.Add("+" + text[10..]);
                else if (text.StartsWith("\u0006CANCEL", StringComparison.Ordinal)) subscriptions.Add("-" + text[7..]);
                else if (text.StartsWith("\u0004JOIN", StringComparison.Ordinal)) subscriptions.Add("+" + text[5..]);
                else if (text.StartsWith("\u0005LEAVE", StringComparison.Ordinal)) subscriptions.Add("-" + text[6..]);
                continue;
            }

            if (ours is SocketType.Pub or SocketType.XPub && frames.Count == 0 && body is [0 or 1, ..])
            {
                subscriptions.Add((body[0] == 1 ? "+" : "-") + text[1..]);
                continue;
            }

            frames.Add(Convert.ToHexString(body));
            if ((unit[0] & 1) != 0) continue;
            messages.Add(string.Join('|', frames));
            frames.Clear();
        }

        return [.. messages, .. subscriptions, .. pongs];
    }

    /// <summary>A property's value in the bytes of READY; empty when it is not there.</summary>
    private static byte[] Property(byte[] ready, string name)
    {
        var at = ready.AsSpan().IndexOf(Encoding.ASCII.GetBytes(name));
        if (at < 0) return [];
        at += name.Length;
        return ready[(at + 4)..(at + 4 + BinaryPrimitives.ReadInt32BigEndian(ready.AsSpan(at)))];
    }
}
