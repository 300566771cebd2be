using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Transports;

/// <summary>ws and wss connections of the engine, with scripted peers.</summary>
public class WebSocketConnectionTests
{
    private readonly Channel<SocketEvent> _events = Channel.CreateUnbounded<SocketEvent>();

    [Theory]
    [InlineData("zws-null-req-rep", SocketType.Rep, "hello")]
    [InlineData("zws-null-sub-xpub", SocketType.XPub, null)]
    [InlineData("zws-bare-router", SocketType.Router, "part1|part2")]
    [InlineData("zws-heartbeat-close", SocketType.Pull, "data")]
    public async Task A_captured_client_of_libzmq_is_understood_and_answered_like_its_server(string name, SocketType type, string? message)
    {
        using var vector = JsonDocument.Parse(await File.ReadAllTextAsync(SourceTree.PathOf($"src/Gateway.Tests/Vectors/{name}.json")));
        var units = vector.RootElement.GetProperty("clientToServer").EnumerateArray().Select(unit => Convert.FromHexString(unit.GetString()!)).ToArray();
        var answers = vector.RootElement.GetProperty("serverToClient").EnumerateArray().Take(2).Select(unit => Convert.FromHexString(unit.GetString()!)).ToArray();
        var owner = new RecordingOwner();
        await using var set = new PeerSet(type, new ZmtpOptions(), owner);
        await using var peer = await ScriptedPeer.ConnectAsync(set.Bind("ws://127.0.0.1:*").Replace("ws://", "tcp://", StringComparison.Ordinal));
        foreach (var unit in units) await peer.SendAsync(unit);
        // The 101, then READY or the routing id, to the byte.
        await peer.ExpectAsync(answers);
        await owner.ReadyAsync();
        if (message is not null) Assert.EndsWith(message, string.Join('|', await owner.NextAsync()), StringComparison.Ordinal);
        if (type == SocketType.Router) Assert.Equal("my-id"u8.ToArray(), (await owner.ReadyAsync()).Identity);
    }

    [Theory]
    [InlineData("FF00000000000000017F03")] // A ZMTP greeting.
    [InlineData("16030100")] // TLS.
    public async Task Another_protocol_is_closed_at_its_first_octet(string hex)
    {
        await using var socket = new PullSocket(new ZmtpOptions { Events = Tell });
        await using var peer = await ScriptedPeer.ConnectAsync(socket.Bind("ws://127.0.0.1:*").Replace("ws://", "tcp://", StringComparison.Ordinal));
        await peer.SendAsync(Convert.FromHexString(hex));
        Assert.Empty(await peer.ReceiveToEndAsync());
        Assert.Equal(ProtocolError.UpgradeFailed, Assert.IsType<ZmtpProtocolException>((await NextAsync(SocketEventKind.HandshakeFailed)).Error).Error);
    }

    [Fact]
    public async Task A_head_without_an_end_is_closed_at_8_KiB()
    {
        await using var socket = new PullSocket(new ZmtpOptions { Events = Tell });
        await using var peer = await ScriptedPeer.ConnectAsync(socket.Bind("ws://127.0.0.1:*").Replace("ws://", "tcp://", StringComparison.Ordinal));
        await peer.SendAsync([.. "GET / HTTP/1.1\r\n"u8, .. Enumerable.Repeat((byte)'x', 8192 - 16)]);
        Assert.Contains("8192", (await NextAsync(SocketEventKind.HandshakeFailed)).Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "ZWS2.0/NULL,ZWS2.0", "ZWS2.0", "ZWS2.0/NULL,ZWS2.0")]
    [InlineData(true, "ZWS2.0/PLAIN", "ZWS2.0/PLAIN", "ZWS2.0/PLAIN")]
    public async Task A_server_that_refuses_the_list_is_asked_for_bare_ZWS_alone_where_that_may_be_spoken(bool secured, params string[] offers)
    {
        using var listener = new ScriptedListener();
        await using var socket = new PushSocket(new ZmtpOptions { ReconnectMin = TimeSpan.FromMilliseconds(1), ReconnectMax = TimeSpan.FromMilliseconds(2), PlainUserName = secured ? "joe" : null });
        socket.Connect(listener.Endpoint.Replace("tcp://", "ws://", StringComparison.Ordinal));
        foreach (var offer in offers)
        {
            await using var peer = await listener.AcceptAsync();
            var head = new System.Text.StringBuilder();
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal)) head.Append((char)(await peer.ReceiveAsync(1))[0]);
            Assert.Contains($"\r\nSec-WebSocket-Protocol: {offer}\r\n", head.ToString(), StringComparison.Ordinal);
            await peer.SendAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        }
    }

    [Theory]
    [InlineData("8180112233441122", 1002)] // Text.
    [InlineData("820100", 1002)] // Not masked.
    [InlineData("8281000000000F", 1002)] // Flags that mean nothing.
    [InlineData("888200000000 03E8", 1000)] // A close is answered with its code.
    public async Task What_ends_a_connection_is_said_in_its_close(string hex, int code)
    {
        await using var socket = new PullSocket();
        var (client, _) = await ZwsClient.OpenAsync(PortOf(socket.Bind("ws://127.0.0.1:*")), "/any/path?and=query", "PUSH");
        await using var open = client;
        await client.SendAsync(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        Assert.Equal(code, await client.ReadCloseAsync());
    }

    [Fact]
    public async Task A_ping_is_answered_with_its_payload_between_messages()
    {
        await using var socket = new PullSocket();
        var (client, _) = await ZwsClient.OpenAsync(PortOf(socket.Bind("ws://127.0.0.1:*")), "/", "PUSH");
        await using var open = client;
        await client.SettleAsync();
    }

    [Fact]
    public async Task A_closed_socket_says_1000()
    {
        var socket = new PullSocket();
        var (client, _) = await ZwsClient.OpenAsync(PortOf(socket.Bind("ws://127.0.0.1:*")), "/", "PUSH");
        await using var open = client;
        await client.SettleAsync();
        var closing = socket.DisposeAsync();
        Assert.Equal(1000, await client.ReadCloseAsync());
        await client.SendAsync(ZwsBytes.Close(1000, mask: true));
        await closing.AsTask().WaitAsync(ScriptedPeer.Patience);
    }

    [Fact]
    public async Task Without_security_only_is_bare_spoken()
    {
        await using var socket = new PullSocket(new ZmtpOptions { PlainServer = true });
        await using var client = new RawWebSocketClient();
        var head = await client.HandshakeAsync(PortOf(socket.Bind("ws://127.0.0.1:*")),
            "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ZWS2.0/NULL,ZWS2.0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400 ", head, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", true, true)]
    [InlineData("elsewhere.example", true, false)]
    [InlineData("localhost", false, false)]
    public async Task Over_wss_the_server_must_be_trusted_and_have_its_name(string name, bool isTrusted, bool connects)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var service = new RepSocket(new ZmtpOptions { WssCertificatePem = certificate.ExportCertificatePem(), WssKeyPem = key.ExportPkcs8PrivateKeyPem() });
        await using var socket = new ReqSocket(new ZmtpOptions { WssTrustPem = isTrusted ? certificate.ExportCertificatePem() : "", WssHostName = "localhost", Events = Tell });
        socket.Connect(service.Bind("wss://127.0.0.1:*/path"));
        if (!connects)
        {
            Assert.Contains("TLS", (await NextAsync(SocketEventKind.HandshakeFailed)).Error!.Message, StringComparison.Ordinal);
            return;
        }

        var asking = socket.RequestAsync(Message.Of("ping")).AsTask();
        using (var asked = await service.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Assert.Equal("ping", asked.Text(0));
        service.Send(Message.Of("pong"));
        using var reply = await asking.WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("pong", reply.Text(0));
    }

    [Fact]
    public void Binding_wss_without_a_certificate_says_what_is_missing()
    {
        var socket = new PullSocket();
        Assert.Contains("WssCertificatePem", Assert.Throws<ZmtpException>(() => socket.Bind("wss://127.0.0.1:*")).Message, StringComparison.Ordinal);
    }

    private static int PortOf(string endpoint) => new Uri(endpoint).Port;

    private void Tell(SocketEvent e) => _events.Writer.TryWrite(e);

    private async Task<SocketEvent> NextAsync(SocketEventKind kind)
    {
        while (true)
        {
            var next = await _events.Reader.ReadAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            if (next.Kind == kind) return next;
        }
    }
}
