using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Authentication;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Transports;

namespace Gateway.Tests.Interop;

/// <summary>Refusals between libzmq and us in both roles, certificates of pyzmq, and encrypted connections that stall.</summary>
[Collection("Alone")]
public class SecureRefusalTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly CurveKeyPair ServerKeys = CurveKeyPair.Generate();
    private readonly Channel<SocketEvent> _events = Channel.CreateUnbounded<SocketEvent>();
    private readonly InprocRegistry _inproc = new();

    [Theory]
    [InlineData("plain", "200", null)]
    [InlineData("plain", "400", "RefusedByPeer (400)")]
    [InlineData("plain", "500", "RefusedByPeer (500)")]
    [InlineData("curve", "200", null)]
    [InlineData("curve", "400", "RefusedByPeer (400)")]
    [InlineData("curve", "500", "RefusedByPeer (500)")]
    public async Task A_refusal_of_libzmqs_ZAP_handler_is_understood(string mechanism, string status, string? words)
    {
        await using var peer = await PeerProcess.StartAsync("secure", "refuse", "tcp://127.0.0.1:*", mechanism, status, Z85.Encode(ServerKeys.SecretKey));
        await using var client = new ReqSocket(Client(mechanism));
        client.Connect(peer.Endpoint);
        if (words is null) await NextAsync(SocketEventKind.Ready);
        else Assert.Contains(words, (await NextAsync(SocketEventKind.HandshakeFailed)).Error!.Message, StringComparison.Ordinal);
        Assert.Equal($"asked {mechanism.ToUpperInvariant()}", await peer.NextLineAsync());
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("curve")]
    public async Task A_temporary_refusal_of_libzmqs_is_no_refusal_for_good(string mechanism)
    {
        // At 300 libzmq closes without a word, or leaves the connection to a handshake timer; both are tried again soon.
        await using var peer = await PeerProcess.StartAsync("secure", "refuse", "tcp://127.0.0.1:*", mechanism, "300", Z85.Encode(ServerKeys.SecretKey));
        var options = Client(mechanism);
        (options.HandshakeTimeout, options.ReconnectMin) = (TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30));
        (options.ReconnectMax, options.Jitter) = (TimeSpan.FromMinutes(10), static () => 0);
        await using var client = new ReqSocket(options);
        client.Connect(peer.Endpoint);
        Assert.Equal($"asked {mechanism.ToUpperInvariant()}", await peer.NextLineAsync());
        Assert.InRange((await NextAsync(SocketEventKind.Retrying)).Delay, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Assert.Equal(EndpointPhase.BackingOff, Assert.Single(client.Endpoints).Phase);
    }

    [Theory]
    [InlineData("null", "200", "HANDSHAKE_SUCCEEDED")]
    [InlineData("plain", "200", "HANDSHAKE_SUCCEEDED")]
    [InlineData("curve", "200", "HANDSHAKE_SUCCEEDED")]
    [InlineData("null", "400", "HANDSHAKE_FAILED_AUTH 400")]
    [InlineData("curve", "400", "HANDSHAKE_FAILED_AUTH 400")]
    [InlineData("curve", "500", "HANDSHAKE_FAILED_AUTH 500")]
    [InlineData("plain", "400", "HANDSHAKE_FAILED_PROTOCOL")] // Its own slip: the correct ERROR is none that its PLAIN client knows.
    [InlineData("plain", "300", "HANDSHAKE_FAILED_NO_DETAIL")]
    [InlineData("curve", "300", "HANDSHAKE_FAILED_NO_DETAIL")]
    public async Task A_refusal_of_our_ZAP_handler_is_understood_by_libzmq(string mechanism, string status, string expected)
    {
        await using var handler = new ZapHandler(_inproc, _ => ["1.0"u8.ToArray(), "1"u8.ToArray(), Encoding.ASCII.GetBytes(status), [], "joe"u8.ToArray(), []]);
        await using var server = new RepSocket(Server(mechanism));
        await using var peer = await PeerProcess.StartAsync("secure", "client", server.Bind("tcp://127.0.0.1:*"), mechanism, Z85.Encode(ServerKeys.PublicKey));
        Assert.StartsWith(expected, await peer.NextLineAsync(), StringComparison.Ordinal);
        if (status == "200") await NextAsync(SocketEventKind.Ready);
        else Assert.Contains($"Unauthorized ({status}", (await NextAsync(SocketEventKind.HandshakeFailed)).Error!.Message, StringComparison.Ordinal);
        Assert.Equal(mechanism.ToUpperInvariant(), Encoding.ASCII.GetString(handler.Requests.First()[5]));
    }

    [Fact]
    public async Task A_certificate_lets_the_pyzmq_client_in_that_holds_it_and_another_not()
    {
        using var directory = new TemporaryDirectory();
        var (allowed, stranger) = (CurveKeyPair.Generate(), CurveKeyPair.Generate());
        new CurveCertificate(allowed.PublicKey, allowed.SecretKey).Save(directory.File("allowed"), default);
        using var elsewhere = new TemporaryDirectory();
        new CurveCertificate(stranger.PublicKey, stranger.SecretKey).Save(elsewhere.File("stranger"), default);
        var options = Server("curve");
        using var list = new AllowList(new AllowListOptions { CertificateDirectory = directory.Path });
        options.Authenticator = list;
        await using var server = new RepSocket(options);
        var endpoint = server.Bind("tcp://127.0.0.1:*");
        await using var bad = await PeerProcess.StartAsync("secure", "keys", endpoint, Z85.Encode(ServerKeys.PublicKey), elsewhere.File("stranger.key_secret"));
        Assert.Contains("is not on the list", (await NextAsync(SocketEventKind.HandshakeFailed)).Error!.Message, StringComparison.Ordinal);
        await using var good = await PeerProcess.StartAsync("secure", "keys", endpoint, Z85.Encode(ServerKeys.PublicKey), directory.File("allowed.key_secret"));
        using (var request = await server.ReceiveAsync().AsTask().WaitAsync(Patience)) Assert.Equal("hello", request.Text(0));
        Assert.Equal(Z85.Encode(allowed.PublicKey), server.Endpoints.Single(endpoint => endpoint.Role == EndpointRole.Accepted).Peer!.UserId);
        Assert.True(server.Send(Message.Of("welcome")));
        Assert.Equal("welcome", await good.NextLineAsync());
    }

    [Fact] // jeromq#1009: a link that broke, and lost messages, at the high-water mark.
    public async Task CURVE_and_back_pressure_A_libzmq_sender_that_stalls_loses_nothing()
    {
        const int count = 10_000;
        var options = Server("curve");
        (options.CurveAllowAny, options.ReceiveHighWaterMark) = (true, 10);
        await using var pull = new PullSocket(options);
        await using var peer = await PeerProcess.StartAsync("secure", "flood", pull.Bind("tcp://127.0.0.1:*"), Z85.Encode(ServerKeys.PublicKey), $"{count}", "4000");
        // Its pipe, our mark and the kernel's buffers between are full.
        Assert.Equal("stalled", await peer.NextLineAsync());
        for (var i = 0; i < count; i++)
        {
            using var message = await pull.ReceiveAsync().AsTask().WaitAsync(Patience);
            Assert.Equal((4_000, i), (message[0].Length, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(message[0].Span)));
        }

        Assert.Equal("sent", await peer.NextLineAsync());
        Assert.False(pull.TryReceive(out _));
    }

    [Fact]
    public async Task CURVE_and_back_pressure_A_libzmq_receiver_that_stalls_us_gets_everything()
    {
        const int count = 10_000;
        var options = Server("curve");
        (options.CurveAllowAny, options.SendHighWaterMark) = (true, 100);
        await using var push = new PushSocket(options);
        await using var peer = await PeerProcess.StartAsync("secure", "drain", push.Bind("tcp://127.0.0.1:*"), Z85.Encode(ServerKeys.PublicKey), count.ToString(CultureInfo.InvariantCulture));
        await NextAsync(SocketEventKind.Ready);
        var sent = 0;
        while (push.TrySend(Numbered(sent))) sent++;
        Assert.InRange(sent, 100, count - 1);
        await peer.SayAsync("go");
        for (; sent < count; sent++) await push.SendAsync(Numbered(sent)).AsTask().WaitAsync(Patience);
        Assert.Equal($"got {count}", await peer.NextLineAsync());
    }

    private static Message Numbered(int number)
    {
        var body = new byte[4_000];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(body, number);
        return Message.Of(body);
    }

    private ZmtpOptions Client(string mechanism) => mechanism == "plain"
        ? new ZmtpOptions { PlainUserName = "joe", PlainPassword = "secret", Events = Tell }
        : new ZmtpOptions { CurveKeys = CurveKeyPair.Generate(), CurveServerKey = ServerKeys.PublicKey, Events = Tell };

    private ZmtpOptions Server(string mechanism) => new()
    {
        PlainServer = mechanism == "plain",
        CurveServer = mechanism == "curve",
        CurveKeys = mechanism == "curve" ? ServerKeys : null,
        ZapDomain = "global",
        Inproc = _inproc,
        Events = Tell,
    };

    private void Tell(SocketEvent e) => _events.Writer.TryWrite(e);

    private async Task<SocketEvent> NextAsync(SocketEventKind kind)
    {
        while (true)
        {
            var next = await _events.Reader.ReadAsync().AsTask().WaitAsync(Patience);
            if (next.Kind == kind) return next;
        }
    }
}
