using System.Net;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;

namespace Gateway.Tests.Interop;

/// <summary>Real ZeroMQ sockets over WebSocket on the gateway's routes: libzmq 4.3.4 with every mechanism, and jszmq.</summary>
public class ZwsRouteTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly CurveKeyPair ServerKeys = CurveKeyPair.Generate();

    public static TheoryData<string> Kinds() => new("python null", "python plain", "python curve", "jszmq null");

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_SUB_hears_what_a_service_publishes(string kind)
    {
        await using var service = new XPubSocket();
        await using var gateway = await StartAsync(kind, "SUB", Bind(service), "Gateway:Routes:r:Subscribers:MaxBytes=67108864");
        await using var peer = await JoinAsync(kind, gateway, "SUB");
        // The subscription has come all the way: what is sent from now on reaches the peer.
        using (var subscription = await service.ReceiveAsync().AsTask().WaitAsync(Patience)) Assert.Equal([1], subscription[0].ToArray());
        for (var i = 0; i < StandardMessages.Count; i++) Assert.Equal(1, service.Send(StandardMessages.Make(i)));
        foreach (var expected in StandardMessages.Descriptions()) Assert.Equal($"got {expected}", await peer.NextLineAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_PULL_gets_what_a_service_pushes(string kind)
    {
        await using var service = new PushSocket();
        await using var gateway = await StartAsync(kind, "PULL", Bind(service));
        await using var peer = await JoinAsync(kind, gateway, "PULL");
        var line = peer.NextLineAsync();
        // A stream keeps nothing for those who come later.
        while (!line.IsCompleted)
        {
            await service.SendAsync(StandardMessages.Make(5)).AsTask().WaitAsync(Patience);
            await Task.Yield();
        }

        Assert.Equal($"got {StandardMessages.Descriptions()[5]}", await line);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_REQ_is_answered_by_a_service(string kind)
    {
        await using var service = new RepSocket();
        await using var gateway = await StartAsync(kind, "REQ", Bind(service));
        await using var peer = await JoinAsync(kind, gateway, "REQ");
        for (var i = 0; i < StandardMessages.Count; i++)
        {
            Assert.True(service.Send(await service.ReceiveAsync().AsTask().WaitAsync(Patience)));
            Assert.Equal("ok", await peer.NextLineAsync());
        }
    }

    [Theory]
    [InlineData("python null")]
    [InlineData("python curve")]
    [InlineData("jszmq null")]
    public async Task A_DEALER_has_twenty_requests_in_flight_and_gets_each_reply_with_its_envelope(string kind)
    {
        await using var slow = new RepSocket();
        await using var quick = new RepSocket();
        await using var gateway = await StartAsync(kind, "DEALER", Bind(slow), $"Gateway:Backends:b:Connect:1={Bind(quick)}");
        await using var peer = await JoinAsync(kind, gateway, "CALLS");
        // What one REP has is held back while the other one answers: replies come in another order than the requests.
        var held = await slow.ReceiveAsync().AsTask().WaitAsync(Patience);
        var replies = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            Answer(quick, await quick.ReceiveAsync().AsTask().WaitAsync(Patience));
            replies.Add(await peer.NextLineAsync());
        }

        Assert.DoesNotContain($"reply |re: {held.Text(0)}", replies);
        Answer(slow, held);
        using var enough = new CancellationTokenSource();
        var serving = Task.WhenAll(ServeAsync(slow, enough.Token), ServeAsync(quick, enough.Token));
        while (replies.Count < 20) replies.Add(await peer.NextLineAsync());
        await enough.CancelAsync();
        await serving.WaitAsync(Patience);
        // The envelope without a body, which was sent first, has asked nothing of a service.
        Assert.Equal(Enumerable.Range(0, 20).Select(i => $"reply |re: request {i}").Order(StringComparer.Ordinal), replies.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_PUSH_feeds_a_worker(string kind)
    {
        await using var service = new PullSocket();
        await using var gateway = await StartAsync(kind, "PUSH", Bind(service));
        await using var peer = await JoinAsync(kind, gateway, "PUSH");
        foreach (var expected in StandardMessages.Descriptions())
        {
            using var message = await service.ReceiveAsync().AsTask().WaitAsync(Patience);
            Assert.Equal(expected, StandardMessages.Describe(message));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_PUB_is_heard_by_a_subscriber(string kind)
    {
        await using var service = new SubSocket();
        service.Subscribe("");
        await using var gateway = await StartAsync(kind, "PUB", Bind(service));
        await using var peer = await JoinAsync(kind, gateway, "PUB");
        using var message = await service.ReceiveAsync().AsTask().WaitAsync(Patience);
        Assert.Contains(StandardMessages.Describe(message), StandardMessages.Descriptions());
    }

    [Theory]
    [InlineData("python null", "plain", "ZWS2.0/PLAIN")]
    [InlineData("jszmq null", "curve", "ZWS2.0/CURVE")]
    public async Task A_peer_without_security_is_not_upgraded_where_it_is_asked_for(string kind, string security, string named)
    {
        await using var service = new PullSocket();
        await using var gateway = await StartAsync($"x {security}", "PUSH", Bind(service));
        await using var peer = await JoinAsync(kind, gateway, "PUSH");
        using var answer = await AskAsync(gateway, "ZWS2.0/NULL,ZWS2.0");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(named, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.False(service.TryReceive(out _));
    }

    [Fact]
    public async Task A_wrong_password_brings_nothing_through()
    {
        await using var service = new PullSocket();
        await using var gateway = await StartAsync("python plain", "PUSH", Bind(service));
        var (client, code) = (await RawWebSocketClient.OpenAsync(gateway.BaseAddress.Port, "/r", "Sec-WebSocket-Protocol: ZWS2.0/PLAIN\r\n"), 0);
        await using var open = client;
        await client.SendAsync(ZwsBytes.Frame(2, [5, .. "HELLO"u8, 3, .. "joe"u8, 5, .. "guess"u8], mask: true));
        Assert.Equal([2, 5, .. "ERROR"u8, 3, .. "400"u8], (await client.ReadFrameAsync())!.Payload);
        while (code == 0 && await client.ReadFrameAsync() is { } frame) code = frame.CloseCode;
        Assert.Equal(1008, code);
    }

    [Fact]
    public async Task A_route_may_have_no_ZeroMQ_peers()
    {
        await using var service = new PullSocket();
        await using var gateway = await StartAsync("python null", "PUSH", Bind(service), "Gateway:Routes:r:Zws:Enabled=false");
        using var answer = await AskAsync(gateway, "ZWS2.0");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    private static async Task ServeAsync(RepSocket service, CancellationToken enough)
    {
        try
        {
            while (true) Answer(service, await service.ReceiveAsync(enough));
        }
        catch (OperationCanceledException) when (enough.IsCancellationRequested)
        {
            // All have been answered.
        }
    }

    private static void Answer(RepSocket service, Message request)
    {
        using (request)
        {
            Assert.Equal(1, request.Count);
            Assert.True(service.Send(Message.Of($"re: {request.Text(0)}")));
        }
    }

    private static Task<HttpResponseMessage> AskAsync(GatewayHost gateway, string subprotocols)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/r");
        foreach (var (name, value) in new[] { ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Protocol", subprotocols) })
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return gateway.Client.SendAsync(request);
    }

    private static string Bind(ZmtpSocket service) => service.Bind("tcp://127.0.0.1:*");

    private static Task<GatewayHost> StartAsync(string kind, string socket, string service, params string[] settings) => GatewayHost.StartAsync(
    [
        $"Gateway:Backends:b:Socket={socket}", $"Gateway:Backends:b:Connect:0={service}", "Gateway:Backends:b:Options:MaxMessageSize=67108864",
        "Gateway:Routes:r:Path=/r", "Gateway:Routes:r:Backend=b", .. Security(kind.Split(' ')[1]), .. settings,
    ]);

    private static string[] Security(string mechanism) => mechanism switch
    {
        "plain" => [Setting("Mechanism=PLAIN"), Setting("Role=Server"), Setting("Users:joe:Password=secret")],
        "curve" => [Setting("Mechanism=CURVE"), Setting("Role=Server"), Setting($"SecretKey={Z85.Encode(ServerKeys.SecretKey)}"), Setting("AllowAny=true")],
        _ => [],
    };

    private static string Setting(string setting) => $"Gateway:Routes:r:Zws:Security:{setting}";

    private static Task<PeerProcess> JoinAsync(string kind, GatewayHost gateway, string type)
    {
        var endpoint = $"ws://127.0.0.1:{gateway.BaseAddress.Port}/r";
        return kind switch
        {
            "python plain" => PeerProcess.StartSecureAsync("plain-client joe secret", type, "connect", endpoint, "500"),
            "python curve" => PeerProcess.StartSecureAsync($"curve-client {Z85.Encode(ServerKeys.PublicKey)}", type, "connect", endpoint, "500"),
            "python null" => PeerProcess.StartAsync("python", type, "connect", endpoint, "500"),
            _ => PeerProcess.StartAsync("jszmq", type, "connect", endpoint),
        };
    }
}
