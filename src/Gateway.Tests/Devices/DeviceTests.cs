using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Devices;
using Gateway.Tests.TestSupport;
using Gateway.Tests.Zmtp.Proxies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Transports;

namespace Gateway.Tests.Devices;

/// <summary>Devices as the web sees them: steered, failing, watched.</summary>
public class DeviceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string[] Streamer =
        ["Gateway:Devices:work:Type=Streamer", "Gateway:Devices:work:Frontend:Bind=tcp://127.0.0.1:*", "Gateway:Devices:work:Backend:Bind=tcp://127.0.0.1:*"];

    [Fact]
    public async Task A_device_is_paused_resumed_stopped_and_started_over_HTTP()
    {
        await using var gateway = await GatewayHost.StartAsync(Streamer);
        foreach (var (action, state) in ((string, string)[])[("pause", "paused"), ("resume", "running"), ("stop", "stopped"), ("start", "running"), ("restart", "running")])
        {
            using var response = await PostAsync(gateway, action);
            Assert.Equal((HttpStatusCode.OK, state), (response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("state").GetString()));
        }

        var health = await gateway.Client.GetFromJsonAsync<JsonElement>(new Uri("/health/ready", UriKind.Relative));
        Assert.Equal("""{"type":"Streamer","state":"running","ready":true,"why":null}""", health.GetProperty("devices").GetProperty("work").GetRawText());
        var list = await gateway.Client.GetFromJsonAsync<JsonElement>(new Uri("/gateway/devices", UriKind.Relative));
        Assert.Equal("work", list.GetProperty("devices")[0].GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("work", "stop", "Origin: http://evil.example", 403, "cross-site")]
    [InlineData("work", "stop", "Origin: null", 403, "cross-site")]
    [InlineData("work", "stop", "Sec-Fetch-Site: cross-site", 403, "cross-site")]
    [InlineData("work", "stop", "Sec-Fetch-Site: same-site", 403, "cross-site")]
    [InlineData("work", "stop", "Host: evil.example", 403, "cross-site")]
    [InlineData("work", "stop", "X-Forwarded-For: 10.0.0.5", 403, "not-local")]
    [InlineData("work", "stop", "Forwarded: for=10.0.0.5", 403, "not-local")]
    [InlineData("other", "stop", "Accept: */*", 404, "unknown-device")]
    [InlineData("work", "explode", "Accept: */*", 404, "not-found")]
    public async Task Who_may_not_or_means_nothing_that_is_there_steers_nothing(string device, string action, string header, int status, string code)
    {
        await using var gateway = await GatewayHost.StartAsync(Streamer);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/gateway/devices/{device}/{action}");
        request.Headers.TryAddWithoutValidation(header.Split(": ")[0], header.Split(": ")[1]);
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal((status, code), ((int)response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString()));
        Assert.Equal(DeviceState.Running, Find(gateway).Status.State);
    }

    [Theory]
    [InlineData("10.0.0.5", HttpStatusCode.Forbidden)]
    [InlineData("172.17.0.1", HttpStatusCode.Forbidden)]
    [InlineData("2001:db8::1", HttpStatusCode.Forbidden)]
    [InlineData("::ffff:10.0.0.5", HttpStatusCode.Forbidden)]
    [InlineData("::ffff:127.0.0.1", HttpStatusCode.OK)]
    [InlineData("::1", HttpStatusCode.OK)]
    public async Task Another_machine_neither_steers_nor_watches(string address, HttpStatusCode status)
    {
        await using var gateway =
            await GatewayHost.StartAsync(services => services.AddSingleton<IStartupFilter>(new From(IPAddress.Parse(address))), Streamer);
        using var response = await PostAsync(gateway, "pause");
        Assert.Equal(status, response.StatusCode);
        await using var tap = new RawWebSocketClient();
        const string Upgrade =
            "GET /gateway/devices/work/tap HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        Assert.StartsWith(status == HttpStatusCode.OK ? "HTTP/1.1 101 " : "HTTP/1.1 403 ",
            await tap.HandshakeAsync(gateway.BaseAddress.Port, Upgrade), StringComparison.Ordinal);
        if (status == HttpStatusCode.OK) return;
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("not-local", problem.GetProperty("code").GetString());
        Assert.StartsWith("Until Gateway has access control,", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gateway.example", "gateway.example", true)]
    [InlineData("a.example", "b.example; *.example", true)]
    [InlineData("evil.test", "gateway.example", false)]
    [InlineData("evil.test", "*", false)]
    [InlineData("evil.test", null, false)]
    [InlineData("localhost.evil.test", null, false)]
    [InlineData("localhost", null, true)]
    [InlineData("[::1]", null, true)]
    [InlineData("127.0.0.1", "gateway.example", true)]
    public void A_name_that_is_pointed_at_this_machine_is_no_name_of_ours(string host, string? allowed, bool isOurs)
    {
        var request = new DefaultHttpContext().Request;
        request.Host = new HostString(host, 8080);
        request.Headers.Origin = $"http://{host}:8080";
        request.Headers["Sec-Fetch-Site"] = "same-origin";
        Assert.Equal(isOurs, SameOrigin.Holds(request, allowed));
    }

    [Fact]
    public async Task The_gateways_own_page_may_steer()
    {
        await using var gateway = await GatewayHost.StartAsync(Streamer);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/gateway/devices/work/pause");
        request.Headers.TryAddWithoutValidation("Origin", gateway.BaseAddress.ToString().TrimEnd('/'));
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "same-origin");
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_stopped_device_cannot_be_paused()
    {
        await using var gateway = await GatewayHost.StartAsync(Streamer);
        (await PostAsync(gateway, "stop")).Dispose();
        using var response = await PostAsync(gateway, "pause");
        Assert.Equal((HttpStatusCode.Conflict, "device-not-running"), (response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_device_whose_port_is_taken_keeps_nobody_from_starting_and_is_tried_again_with_growing_waits()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var endpoint = $"tcp://127.0.0.1:{((IPEndPoint)taken.LocalEndPoint!).Port}";
        var time = new ManualTimeProvider();
        var log = new ListLogger<DeviceTests>();
        var options = new DeviceOptions { Type = "Streamer", Frontend = { Bind = [endpoint] }, Backend = { Bind = ["tcp://127.0.0.1:*"] } };
        using var securer = new SocketSecurer(NullLoggerFactory.Instance, time);
        await using var device = new Device("work", options, new DeviceSocketFactory(new InprocRegistry(), securer, time), new DeviceLog("work", log), time, static () => 1);
        await device.StartAsync();
        foreach (var seconds in (int[])[1, 2, 4])
        {
            var status = device.Status;
            Assert.Equal(DeviceState.Failed, status.State);
            Assert.StartsWith($"Gateway:Devices:work:Frontend:Bind:0 is \"{endpoint}\", which cannot be used:", status.LastError, StringComparison.Ordinal);
            Assert.Equal(TimeSpan.FromSeconds(seconds), status.NextTry - time.GetUtcNow());
            time.Advance(TimeSpan.FromSeconds(seconds));
            // In its turn behind the attempt.
            await device.Settled().WaitAsync(Patience);
        }

        taken.Dispose();
        time.Advance(TimeSpan.FromSeconds(8));
        await device.Settled().WaitAsync(Patience);
        Assert.Equal((DeviceState.Running, 4), (device.Status.State, device.Restarts));
        Assert.Single(log.Lines, line => line.Contains("failed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failed_device_makes_the_gateway_degraded_and_says_why()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        await using var gateway = await GatewayHost.StartAsync(
            [.. Streamer, "Gateway:Devices:broken:Type=Queue", $"Gateway:Devices:broken:Frontend:Bind=tcp://127.0.0.1:{((IPEndPoint)taken.LocalEndPoint!).Port}", "Gateway:Devices:broken:Backend:Bind=tcp://127.0.0.1:*"]);
        var health = await gateway.Client.GetFromJsonAsync<JsonElement>(new Uri("/health/ready", UriKind.Relative));
        Assert.Equal("degraded", health.GetProperty("status").GetString());
        var broken = health.GetProperty("devices").GetProperty("broken");
        Assert.Equal(("failed", false), (broken.GetProperty("state").GetString(), broken.GetProperty("ready").GetBoolean()));
        Assert.Contains("Gateway:Devices:broken:Frontend:Bind:0", broken.GetProperty("why").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tap_shows_what_passes_and_counts_what_it_skips()
    {
        await using var gateway = await GatewayHost.StartAsync(Streamer);
        await using var watcher = await RawWebSocketClient.OpenAsync(gateway.BaseAddress.Port, "/gateway/devices/work/tap?max=8&rate=2");
        var device = Find(gateway);
        Assert.Equal(1, device.Taps.Count);
        await using var producer = new PushSocket();
        await using var worker = new PullSocket();
        producer.Connect(device.Status.Proxy!.Frontend.Endpoints[0].Endpoint);
        worker.Connect(device.Status.Proxy!.Backend.Endpoints[0].Endpoint);
        async Task PassAsync(params byte[][] frames)
        {
            await producer.SendAsync(Message.Of(frames));
            (await worker.ReceiveAsync().AsTask().WaitAsync(Patience)).Dispose();
        }

        await PassAsync("gr\u00fc\u00dfe"u8.ToArray(), [0, 255], "0123456789"u8.ToArray());
        var shown = await ReadAsync(watcher);
        Assert.Equal(("in", 1, 19, 0), (shown.GetProperty("direction").GetString(), shown.GetProperty("seq").GetInt32(), shown.GetProperty("size").GetInt32(), shown.GetProperty("skipped").GetInt32()));
        Assert.Equal("""[{"size":7,"text":"gr\u00FC\u00DFe"},{"size":2,"hex":"00ff"},{"size":10,"text":"01234567","truncated":true}]""", shown.GetProperty("frames").GetRawText());
        // Two are shown in a second, whatever passes; the next one shown tells how many were not.
        JsonElement next;
        do
        {
            var reading = ReadAsync(watcher);
            while (!reading.IsCompleted) await PassAsync("x"u8.ToArray());
            next = await reading;
        }
        while (next.GetProperty("skipped").GetInt32() == 0);
        Assert.True(next.GetProperty("seq").GetInt32() > 2 + next.GetProperty("skipped").GetInt32());
    }

    [Fact]
    public async Task A_tap_is_refused_to_other_sites_pages_and_says_what_its_query_takes()
    {
        await using var gateway = await GatewayHost.StartAsync(Streamer);
        await using var foreign = new RawWebSocketClient();
        const string Upgrade = "HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        Assert.StartsWith("HTTP/1.1 403 ", await foreign.HandshakeAsync(gateway.BaseAddress.Port, $"GET /gateway/devices/work/tap {Upgrade}Origin: http://evil.example\r\n\r\n"), StringComparison.Ordinal);
        await using var wrong = new RawWebSocketClient();
        Assert.StartsWith("HTTP/1.1 400 ", await wrong.HandshakeAsync(gateway.BaseAddress.Port, $"GET /gateway/devices/work/tap?max=0 {Upgrade}\r\n"), StringComparison.Ordinal);
        await using var unknown = new RawWebSocketClient();
        Assert.StartsWith("HTTP/1.1 404 ", await unknown.HandshakeAsync(gateway.BaseAddress.Port, $"GET /gateway/devices/nobody/tap {Upgrade}\r\n"), StringComparison.Ordinal);
        Assert.Equal(0, Find(gateway).Taps.Count);
    }

    [Fact]
    public async Task The_ninth_tap_of_a_device_is_refused_and_may_come_when_one_has_gone()
    {
        await using var gateway = await GatewayHost.StartAsync(Streamer);
        var watchers = new List<RawWebSocketClient>();
        for (var i = 0; i < DeviceTaps.Most; i++) watchers.Add(
            await RawWebSocketClient.OpenAsync(gateway.BaseAddress.Port, "/gateway/devices/work/tap"));
        await using var ninth = new RawWebSocketClient();
        const string Upgrade =
            "GET /gateway/devices/work/tap HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        Assert.StartsWith("HTTP/1.1 429 ", await ninth.HandshakeAsync(gateway.BaseAddress.Port, Upgrade), StringComparison.Ordinal);
        await watchers[0].DisposeAsync();
        await ProxyTests.EventuallyAsync(() => Find(gateway).Taps.Count == DeviceTaps.Most - 1);
        await using var next = await RawWebSocketClient.OpenAsync(gateway.BaseAddress.Port, "/gateway/devices/work/tap");
        foreach (var watcher in watchers) await watcher.DisposeAsync();
    }

    [Fact]
    public async Task Taps_that_want_the_same_share_one_text_of_each_message()
    {
        await using var gateway = await GatewayHost.StartAsync(Streamer);
        var watchers = new List<RawWebSocketClient>();
        for (var i = 0; i < 3; i++) watchers.Add(await RawWebSocketClient.OpenAsync(gateway.BaseAddress.Port, "/gateway/devices/work/tap"));
        var device = Find(gateway);
        await using var producer = new PushSocket();
        await using var worker = new PullSocket();
        producer.Connect(device.Status.Proxy!.Frontend.Endpoints[0].Endpoint);
        worker.Connect(device.Status.Proxy!.Backend.Endpoints[0].Endpoint);
        for (var i = 1; i <= 5; i++)
        {
            await producer.SendAsync(Message.Of($"message {i}"));
            foreach (var watcher in watchers)
            {
                var shown = await ReadAsync(watcher);
                Assert.Equal((i, $"message {i}"),
                    (shown.GetProperty("seq").GetInt32(), shown.GetProperty("frames")[0].GetProperty("text").GetString()));
            }
        }

        Assert.Equal(5, device.Taps.Encoded);
        foreach (var watcher in watchers) await watcher.DisposeAsync();
    }

    [Fact]
    public void What_waits_for_a_tap_that_does_not_read_is_bounded_in_bytes_and_numbers_tell_of_the_gap()
    {
        var time = new ManualTimeProvider();
        var watcher = new TapWatcher(maxBytes: 65_536, perSecond: 1_000, time);
        var text = new byte[300_000];
        var wanted = 0;
        for (var i = 0; i < 100; i++)
        {
            if (!watcher.Wants(time.GetTimestamp(), out var seq)) continue;
            wanted++;
            watcher.Offer(seq, text);
        }

        // The fourth finds no room; from then on nothing is copied for it.
        Assert.Equal((4, 900_000L), (wanted, watcher.WaitingBytes));
        watcher.End();
    }

    [Fact]
    public async Task A_reload_starts_and_ends_devices_and_leaves_the_others_running()
    {
        await using var gateway = await GatewayHost.StartAsync(Streamer);
        var configuration = gateway.Services.GetRequiredService<GatewayConfiguration>();
        var (registry, before) = (gateway.Services.GetRequiredService<DeviceRegistry>(), Find(gateway));
        var options = new GatewayOptions { Devices = { ["work"] = configuration.Current.Devices["work"], ["more"] = new DeviceOptions { Type = "Queue", Frontend = { Bind = ["inproc://a"] }, Backend = { Bind = ["inproc://b"] } } } };
        configuration.Replace(new GatewaySnapshot(options, isDemo: false));
        await ProxyTests.EventuallyAsync(() => registry.TryGet("more", out var more) && more.Status.State == DeviceState.Running);
        Assert.Same(before, Find(gateway));
        options.Devices.Remove("work");
        configuration.Replace(new GatewaySnapshot(options, isDemo: false));
        await ProxyTests.EventuallyAsync(() => !registry.TryGet("work", out _) && before.Status.State == DeviceState.Stopped);
    }

    /// <summary>Every request comes from one address.</summary>
    private sealed class From(IPAddress address) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, rest) =>
            {
                context.Connection.RemoteIpAddress = address;
                return rest(context);
            });
            next(app);
        };
    }

    private static Task<HttpResponseMessage> PostAsync(GatewayHost gateway, string action) =>
        gateway.Client.PostAsync(new Uri($"/gateway/devices/work/{action}", UriKind.Relative), content: null);

    private static Device Find(GatewayHost gateway) =>
        gateway.Services.GetRequiredService<DeviceRegistry>().TryGet("work", out var device) ? device : throw new InvalidOperationException("There is no device.");

    private static async Task<JsonElement> ReadAsync(RawWebSocketClient watcher)
    {
        var frame = await watcher.ReadEventAsync();
        using var document = JsonDocument.Parse(Encoding.UTF8.GetString(frame!.Payload));
        return document.RootElement.Clone();
    }
}
