using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Tests.Interop;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;

namespace Gateway.Tests.Devices;

/// <summary>Devices whose sides differ in security and transport, and what is large through them.</summary>
public class SecuredDeviceTests
{
    private const string Curve = "Gateway:Devices:work:Frontend:Security";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly CurveKeyPair Server = CurveKeyPair.Generate();
    private static readonly CurveKeyPair Client = CurveKeyPair.Generate();
    private static readonly string[] CurveServer =
        [$"{Curve}:Mechanism=CURVE", $"{Curve}:Role=Server", $"{Curve}:SecretKey={Z85.Encode(Server.SecretKey)}", $"{Curve}:Keys:0={Z85.Encode(Client.PublicKey)}"];

    [Fact]
    public async Task CURVE_clients_reach_services_over_WebSocket_and_a_foreign_key_reaches_nothing()
    {
        await using var gateway = await StartAsync("Queue", "tcp", "ws", CurveServer);
        var (front, back) = await EndpointsAsync(gateway);
        Assert.StartsWith("ws://", back, StringComparison.Ordinal);
        await using var service = await PeerProcess.StartAsync("python", "REP", "connect", back);
        await using var stranger = await PeerProcess.StartAsync("secure", "client", front, "curve", Z85.Encode(Server.PublicKey));
        Assert.Equal("HANDSHAKE_FAILED_AUTH 400", await stranger.NextLineAsync());
        // Frames up to 8 MiB: what is in a box is held whole on its way in, and goes out over WebSocket.
        await using var client = await PeerProcess.StartSecureAsync(
            $"curve-client {Z85.Encode(Server.PublicKey)} {Z85.Encode(Client.PublicKey)} {Z85.Encode(Client.SecretKey)}", "REQ", "connect", front);
        for (var i = 0; i < StandardMessages.Count; i++) Assert.Equal("ok", await client.NextLineAsync());
        var device = await DeviceAsync(gateway);
        foreach (var way in (string[])["in", "out"])
        {
            var numbers = ((string[])["messages", "dropped", "lost"]).Select(name => device.GetProperty(way).GetProperty(name).GetInt64());
            Assert.Equal([StandardMessages.Count, 0, 0], numbers);
        }
    }

    [Theory]
    [InlineData("ws", "tcp")]
    [InlineData("tcp", "ws")]
    public async Task A_frame_of_64_MiB_crosses_a_queue_between_tcp_and_ws(string front, string back)
    {
        await using var gateway = await StartAsync("Queue", front, back);
        var endpoints = await EndpointsAsync(gateway);
        await using var service = await PeerProcess.StartAsync("python", "REP", "connect", endpoints.Back);
        await using var client = new ReqSocket();
        client.Connect(endpoints.Front);
        await AskAsync(client, Large());
    }

    [Fact]
    public async Task A_frame_of_64_MiB_crosses_a_monitored_queue_and_the_monitor_has_it_whole()
    {
        await using var gateway = await StartAsync("MonitoredQueue", "tcp", "tcp", "Gateway:Devices:work:Monitor:Bind:0=tcp://127.0.0.1:*", "Gateway:Devices:work:Monitor:Options:SendHighWaterMarkBytes=0");
        var (front, back) = await EndpointsAsync(gateway);
        await using var monitor = new SubSocket();
        monitor.Subscribe("");
        monitor.Connect((await DeviceAsync(gateway)).GetProperty("monitor").GetProperty("endpoints")[0].GetProperty("endpoint").GetString()!);
        await using var service = await PeerProcess.StartAsync("python", "REP", "connect", back);
        await using var client = new ReqSocket(new ZmtpOptions { Identity = "CLI"u8.ToArray() });
        client.Connect(front);
        // Until the monitor's subscription has arrived, what passes is not shown.
        var next = monitor.ReceiveAsync().AsTask();
        do await AskAsync(client, "hello"u8.ToArray());
        while (!next.IsCompleted);
        var body = Large();
        await AskAsync(client, body);
        var shown = new List<string>();
        while (shown.Count < 2)
        {
            using var message = await next.WaitAsync(Patience);
            if (message[message.Count - 1].Span.SequenceEqual(body)) shown.Add($"{message.Text(0)}|{message.Text(1)}|{message.Text(2)}");
            if (shown.Count < 2) next = monitor.ReceiveAsync().AsTask();
        }

        Assert.Equal(["in|CLI|", "out|CLI|"], shown);
    }

    private static async Task AskAsync(ReqSocket client, byte[] body)
    {
        using var reply = await client.RequestAsync(Message.Of(body)).AsTask().WaitAsync(Patience);
        Assert.True(reply[0].Span.SequenceEqual(body));
    }

    private static byte[] Large()
    {
        var body = GC.AllocateUninitializedArray<byte>(64 << 20);
        new Random(4).NextBytes(body);
        return body;
    }

    private static Task<GatewayHost> StartAsync(string type, string front, string back, params string[] settings) => GatewayHost.StartAsync(
        [$"Gateway:Devices:work:Type={type}", $"Gateway:Devices:work:Frontend:Bind:0={front}://127.0.0.1:*", $"Gateway:Devices:work:Backend:Bind:0={back}://127.0.0.1:*", .. settings]);

    private static async Task<JsonElement> DeviceAsync(GatewayHost gateway) =>
        await gateway.Client.GetFromJsonAsync<JsonElement>(new Uri("/gateway/devices/work", UriKind.Relative));

    private static async Task<(string Front, string Back)> EndpointsAsync(GatewayHost gateway)
    {
        var device = await DeviceAsync(gateway);
        string Of(string side) => device.GetProperty(side).GetProperty("endpoints")[0].GetProperty("endpoint").GetString()!;
        return (Of("frontend"), Of("backend"));
    }
}
