using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Devices;
using Gateway.Tests.Interop;
using Gateway.Tests.TestSupport;
using Gateway.Tests.Zmtp.Proxies;
using Microsoft.Extensions.DependencyInjection;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Devices;

/// <summary>Each device as configuration, with real libzmq sockets around it.</summary>
public class DeviceInteropTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task A_queue_stands_between_REQ_and_REP(string kind)
    {
        await using var gateway = await StartAsync("Queue");
        var (front, back) = await EndpointsAsync(gateway);
        await using var service = await PeerProcess.StartAsync(kind, "REP", "connect", back);
        await using var client = await PeerProcess.StartAsync(kind, "REQ", "connect", front);
        for (var i = 0; i < StandardMessages.Count; i++) Assert.Equal("ok", await client.NextLineAsync());
        var device = await DeviceAsync(gateway);
        Assert.Equal((StandardMessages.Count, StandardMessages.Count), (Number(device, "in", "messages"), Number(device, "out", "messages")));
        // 8 MiB and the rest, each way, with an identity of five bytes in front of each.
        Assert.Equal(Number(device, "in", "bytes"), Number(device, "out", "bytes"));
        Assert.InRange(Number(device, "in", "bytes"), 8 << 20, (8 << 20) + 100_000);
        Assert.Equal((0, 0), (Number(device, "in", "dropped") + Number(device, "out", "dropped"), Number(device, "in", "lost") + Number(device, "out", "lost")));
    }

    [Fact]
    public async Task A_streamer_stands_between_PUSH_and_PULL()
    {
        await using var gateway = await StartAsync("Streamer");
        var (front, back) = await EndpointsAsync(gateway);
        await using var worker = await PeerProcess.StartAsync("python", "PULL", "connect", back);
        await using var producer = await PeerProcess.StartAsync("python", "PUSH", "connect", front);
        foreach (var expected in StandardMessages.Descriptions()) Assert.Equal($"got {expected}", await worker.NextLineAsync());
    }

    [Fact]
    public async Task A_forwarder_stands_between_PUB_and_SUB()
    {
        await using var gateway = await StartAsync("Forwarder");
        var (front, back) = await EndpointsAsync(gateway);
        await using var subscriber = await PeerProcess.StartAsync("python", "SUB", "connect", back);
        await using var publisher = await PeerProcess.StartAsync("python", "PUB", "connect", front);
        var left = StandardMessages.Descriptions().Select(description => $"got {description}").ToHashSet(StringComparer.Ordinal);
        while (left.Count > 0) left.Remove(await subscriber.NextLineAsync());
    }

    [Fact]
    public async Task A_monitored_queue_shows_what_passes_as_pyzmq_does()
    {
        await using var gateway = await StartAsync("MonitoredQueue", "Monitor:Bind:0=tcp://127.0.0.1:*");
        var (front, back) = await EndpointsAsync(gateway);
        var device = await DeviceAsync(gateway);
        await using var monitor = new SubSocket();
        monitor.Subscribe("");
        monitor.Connect(device.GetProperty("monitor").GetProperty("endpoints")[0].GetProperty("endpoint").GetString()!);
        await using var service = await PeerProcess.StartAsync("python", "REP", "connect", back);
        await using var client = new DealerSocket(new ZmtpOptions { Identity = "CLI"u8.ToArray() });
        client.Connect(front);
        // Until the monitor's subscription has arrived, what passes is not shown.
        var first = monitor.ReceiveAsync().AsTask();
        do
        {
            await client.SendAsync(Message.Of("", "hello"));
            using var reply = await client.ReceiveAsync().AsTask().WaitAsync(Patience);
            Assert.Equal("hello", reply.Text(1));
        }
        while (!first.IsCompleted);
        var shown = await Task.WhenAll(first, monitor.ReceiveAsync().AsTask()).WaitAsync(Patience);
        var texts = shown.Select(message => string.Join('|', Enumerable.Range(0, message.Count).Select(message.Text))).Order(StringComparer.Ordinal);
        Assert.Equal(["in|CLI||hello", "out|CLI||hello"], texts);
    }

    [Fact]
    public async Task A_side_has_several_endpoints_and_XREP_and_XREQ_are_understood()
    {
        using var directory = new TemporaryDirectory();
        await using var gateway = await StartAsync(
            "Queue", "Frontend:Socket=XREP", "Backend:Socket=xreq", $"Frontend:Bind:1=ipc://{directory.File("front.sock")}", "Frontend:Identity=DEV");
        var (front, back) = await EndpointsAsync(gateway);
        await using var service = await PeerProcess.StartAsync("python", "REP", "connect", back);
        await using var overTcp = await PeerProcess.StartAsync("python", "REQ", "connect", front);
        await using var overIpc = await PeerProcess.StartAsync("python", "REQ", "connect", $"ipc://{directory.File("front.sock")}");
        for (var i = 0; i < StandardMessages.Count; i++)
        {
            Assert.Equal("ok", await overTcp.NextLineAsync());
            Assert.Equal("ok", await overIpc.NextLineAsync());
        }
    }

    [Fact]
    public async Task Requests_go_on_when_a_service_was_killed_and_another_came()
    {
        await using var gateway = await StartAsync("Queue");
        var (front, back) = await EndpointsAsync(gateway);
        await using var client = new ReqSocket();
        client.Connect(front);
        for (var life = 0; life < 3; life++)
        {
            await using var service = await PeerProcess.StartAsync("python", "REP", "connect", back);
            for (var i = 0; i < 20; i++)
            {
                using var reply = await client.RequestAsync(Message.Of($"{life}/{i}")).AsTask().WaitAsync(Patience);
                Assert.Equal($"{life}/{i}", reply.Text(0));
            }
        }
    }

    [Fact]
    public async Task A_libzmq_PAIR_steers_it()
    {
        await using var gateway = await StartAsync("Streamer", "Control:Bind:0=tcp://127.0.0.1:*");
        var (front, back) = await EndpointsAsync(gateway);
        await using (var producer = new PushSocket())
        await using (var worker = new PullSocket())
        {
            producer.Connect(front);
            worker.Connect(back);
            await producer.SendAsync(Message.Of("12", "345"));
            (await worker.ReceiveAsync().AsTask().WaitAsync(Patience)).Dispose();
        }

        var control = (await DeviceAsync(gateway)).GetProperty("control").GetProperty("endpoints")[0].GetProperty("endpoint").GetString()!;
        await using (var steer = await PeerProcess.StartAsync("python", "STEER", "connect", control, "PAUSE", "STATISTICS", "RESUME", "STATISTICS"))
        {
            // Two frames of five bytes came in at the frontend and left at the backend.
            Assert.Equal("statistics 2 5 0 0 0 0 2 5", await steer.NextLineAsync());
            Assert.Equal("statistics 2 5 0 0 0 0 2 5", await steer.NextLineAsync());
        }

        await using var end = await PeerProcess.StartAsync("python", "STEER", "connect", control, "TERMINATE");
        await ProxyTests.EventuallyAsync(() => Registry(gateway).TryGet("work", out var device) && device.Status.State == DeviceState.Stopped);
        Assert.Equal("ended by its control socket", (await DeviceAsync(gateway)).GetProperty("lastError").GetString());
    }

    private static Task<GatewayHost> StartAsync(string type, params string[] settings) => GatewayHost.StartAsync(
        [$"Gateway:Devices:work:Type={type}", "Gateway:Devices:work:Frontend:Bind:0=tcp://127.0.0.1:*", "Gateway:Devices:work:Backend:Bind:0=tcp://127.0.0.1:*",
            .. settings.Select(setting => $"Gateway:Devices:work:{setting}")]);

    private static async Task<JsonElement> DeviceAsync(GatewayHost gateway) =>
        await gateway.Client.GetFromJsonAsync<JsonElement>(new Uri("/gateway/devices/work", UriKind.Relative));

    private static async Task<(string Front, string Back)> EndpointsAsync(GatewayHost gateway)
    {
        var device = await DeviceAsync(gateway);
        string Of(string side) => device.GetProperty(side).GetProperty("endpoints")[0].GetProperty("endpoint").GetString()!;
        return (Of("frontend"), Of("backend"));
    }

    private static DeviceRegistry Registry(GatewayHost gateway) => gateway.Services.GetRequiredService<DeviceRegistry>();

    private static long Number(JsonElement device, string way, string name) => device.GetProperty(way).GetProperty(name).GetInt64();
}
