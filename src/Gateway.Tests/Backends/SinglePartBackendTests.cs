using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Backends;

/// <summary>The thread-safe sockets behind routes, with real connections.</summary>
public class SinglePartBackendTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_CLIENT_backend_answers_a_REST_call_by_a_SERVER()
    {
        await using var server = new ServerSocket();
        await using var gateway = await StartAsync("CLIENT", $"Connect:0={server.Bind("tcp://127.0.0.1:*")}");
        var posting = gateway.Client.PostAsync("/r", new StringContent("2+40"));
        var (routingId, request) = await server.ReceiveAsync().AsTask().WaitAsync(Bound);
        Assert.Equal((1, "2+40"), (request.Count, request.Text(0)));
        request.Dispose();
        await server.SendAsync(routingId, Message.Of("42"));
        using var answer = await posting.WaitAsync(Bound);
        Assert.Equal("42", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_SCATTER_backend_pushes_to_a_GATHER()
    {
        await using var gather = new GatherSocket();
        await using var gateway = await StartAsync("SCATTER", $"Connect:0={gather.Bind("tcp://127.0.0.1:*")}");
        using var answer = await gateway.Client.PostAsync("/r", new StringContent("job"));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        using var job = await gather.ReceiveAsync().AsTask().WaitAsync(Bound);
        Assert.Equal((1, "job"), (job.Count, job.Text(0)));
    }

    [Fact]
    public async Task A_SCATTER_backend_refuses_a_message_of_several_parts()
    {
        await using var gather = new GatherSocket();
        await using var gateway = await StartAsync("SCATTER", $"Connect:0={gather.Bind("tcp://127.0.0.1:*")}", "Gateway:Routes:r:Request:0={parts}");
        using var body = new MultipartContent("mixed") { new StringContent("a"), new StringContent("b") };
        using var answer = await gateway.Client.PostAsync("/r", body);
        Assert.Equal((HttpStatusCode.BadRequest, "not-one-frame"), (answer.StatusCode, await CodeAsync(answer)));
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:*")]
    [InlineData("udp://127.0.0.1:*")]
    public async Task A_RADIO_backend_publishes_to_the_group_that_the_topic_names(string endpoint)
    {
        await using var dish = new DishSocket();
        dish.Join("weather");
        await using var gateway = await StartAsync("RADIO", $"Connect:0={dish.Bind(endpoint)}");
        // Until the group has been joined there, nobody is told.
        using var patience = new CancellationTokenSource(Bound);
        while (await PeersAsync(gateway, "/r/weather", "sun") == 0) patience.Token.ThrowIfCancellationRequested();
        await PeersAsync(gateway, "/r/weather.oslo", "no");
        using var message = await dish.ReceiveAsync().AsTask().WaitAsync(Bound);
        Assert.Equal(("weather", "sun"), (message.GroupName, message.Text));
        Assert.False(dish.TryReceive(out _));
    }

    [Fact]
    public async Task A_RADIO_backend_says_what_it_does_not_take()
    {
        await using var gateway = await StartAsync("RADIO", "Connect:0=udp://127.0.0.1:9", "Gateway:Routes:r:MaxBodySize=100000");
        // The endpoint is there when a message that fits is taken.
        using var patience = new CancellationTokenSource(Bound);
        while (await PeersAsync(gateway, "/r/weather", "sun") == 0) patience.Token.ThrowIfCancellationRequested();
        using var none = await gateway.Client.PostAsync("/r", new StringContent("x"));
        Assert.Equal((HttpStatusCode.BadRequest, "bad-group"), (none.StatusCode, await CodeAsync(none)));
        using var longName = await gateway.Client.PostAsync($"/r/{new string('g', 256)}", new StringContent("x"));
        Assert.Equal((HttpStatusCode.BadRequest, "bad-group"), (longName.StatusCode, await CodeAsync(longName)));
        using var large = await gateway.Client.PostAsync("/r/weather", new ByteArrayContent(new byte[9000]));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "datagram-too-large"), (large.StatusCode, await CodeAsync(large)));
        Assert.Contains("8192", await large.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_GATHER_backend_streams_what_SCATTER_sends_and_drops_what_has_several_frames()
    {
        await using var gateway = await StartAsync("GATHER", "Bind:0=tcp://127.0.0.1:*", "Gateway:Routes:r:ContentType=text/plain");
        await using var client = await RawWebSocketClient.OpenAsync(gateway.BaseAddress.Port, "/r");
        await using var peer = await ScriptedPeer.ConnectAsync(await EndpointAsync(gateway));
        await peer.HandshakeAsync("SCATTER");
        await peer.SendAsync(ZmtpBytes.Message("two", "frames"), ZmtpBytes.Message("single"));
        Assert.Equal("single", Encoding.UTF8.GetString((await client.ReadFrameAsync())!.Payload));
    }

    [Fact]
    public async Task A_DISH_backend_streams_the_exact_groups_that_clients_name()
    {
        await using var radio = new RadioSocket();
        await using var gateway = await StartAsync("DISH", $"Connect:0={radio.Bind("tcp://127.0.0.1:*")}", "Gateway:Routes:r:ContentType=text/plain");
        await using var weather = await RawWebSocketClient.OpenAsync(gateway.BaseAddress.Port, "/r/weather");
        await using var oslo = await RawWebSocketClient.OpenAsync(gateway.BaseAddress.Port, "/r?topic=weather.oslo&topic=news");
        using var patience = new CancellationTokenSource(Bound);
        foreach (var group in (string[])["weather", "weather.oslo", "news"])
        {
            while (radio.Send(group, Message.Of($"{group}!")) == 0)
            {
                patience.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }

        Assert.Equal(0, radio.Send("weather.bergen", Message.Of("nobody joined")));
        radio.Send("weather", Message.Of("end"));
        Assert.Equal("weather!", await TextAsync(weather));
        // The longer name is another group, although its prefix is joined.
        Assert.Equal("end", await TextAsync(weather));
        Assert.Equal("weather.oslo!", await TextAsync(oslo));
        Assert.Equal("news!", await TextAsync(oslo));
    }

    [Fact]
    public async Task A_DISH_without_configured_groups_needs_a_topic_and_with_them_gives_all()
    {
        await using var radio = new RadioSocket();
        var endpoint = radio.Bind("tcp://127.0.0.1:*");
        await using (var gateway = await StartAsync("DISH", $"Connect:0={endpoint}"))
        {
            await using var client = new RawWebSocketClient();
            var refusal = await client.HandshakeAsync(gateway.BaseAddress.Port, "GET /r HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 400", refusal, StringComparison.Ordinal);
        }

        await using var all = await StartAsync("DISH", $"Connect:0={endpoint}", "Upstream:0=weather", "Upstream:1=news", "Gateway:Routes:r:ContentType=text/plain");
        await using var everything = await RawWebSocketClient.OpenAsync(all.BaseAddress.Port, "/r");
        using var patience = new CancellationTokenSource(Bound);
        while (radio.Send("news", Message.Of("1")) == 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        radio.Send("weather", Message.Of("2"));
        Assert.Equal(["1", "2"], [await TextAsync(everything), await TextAsync(everything)]);
    }

    private static Task<GatewayHost> StartAsync(string socket, params string[] settings) => GatewayHost.StartAsync(
        [$"Gateway:Backends:b:Socket={socket}", "Gateway:Routes:r:Path=/r/{topic?}", "Gateway:Routes:r:Backend=b",
            .. settings.Select(s => s.StartsWith("Gateway:", StringComparison.Ordinal) ? s : $"Gateway:Backends:b:{s}")]);

    private static async Task<string> TextAsync(RawWebSocketClient client) => Encoding.UTF8.GetString((await client.ReadFrameAsync())!.Payload);

    private static async Task<int> PeersAsync(GatewayHost gateway, string target, string body)
    {
        using var answer = await gateway.Client.PostAsync(target, new StringContent(body));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("peers").GetInt32();
    }

    private static async Task<string> CodeAsync(HttpResponseMessage answer) =>
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("code").GetString()!;

    private static async Task<string> EndpointAsync(GatewayHost gateway)
    {
        using var answer = await gateway.Client.GetAsync("/health/ready");
        var health = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return health.GetProperty("backends").GetProperty("b").GetProperty("endpoints")[0].GetProperty("endpoint").GetString()!;
    }
}
