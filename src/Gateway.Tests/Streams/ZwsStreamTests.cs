using System.Net;
using System.Text;
using Gateway.Backends;
using Gateway.Tests.TestSupport;
using Gateway.Tests.Zmtp.Proxies;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Streams;

/// <summary>ZeroMQ peers over WebSocket on stream routes.</summary>
public class ZwsStreamTests
{
    [Fact]
    public async Task A_SUB_gets_all_frames_of_what_it_subscribed_to_from_an_XPUB()
    {
        await using var host = await StreamHost.StartAsync();
        var (client, type) = await ZwsClient.OpenAsync(host.Port, "/s", "SUB");
        await using var _ = client;
        Assert.Equal("XPUB", type);
        await client.SubscribeAsync("EUR");
        Assert.Equal(["+EUR"], host.Source.Asked);
        await SendAsync(host, "USDJPY|150");
        await SendAsync(host, "EURUSD|1.08|x");
        Assert.Equal("EURUSD|1.08|x", await client.ReadMessageAsync());
    }

    [Fact]
    public async Task Nothing_comes_before_a_subscription_and_subscriptions_change_live_without_a_loss_or_a_repetition()
    {
        await using var host = await StreamHost.StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s", "SUB");
        await using var open = client;
        await client.SettleAsync();
        await SendAsync(host, "a|0");
        await client.SubscribeAsync("a");
        await SendAsync(host, "a|1");
        await SendAsync(host, "b|1");
        Assert.Equal("a|1", await client.ReadMessageAsync());
        await client.SubscribeAsync("b");
        await SendAsync(host, "a|2");
        await SendAsync(host, "b|2");
        Assert.Equal("a|2", await client.ReadMessageAsync());
        Assert.Equal("b|2", await client.ReadMessageAsync());
        await client.SubscribeAsync("a", subscribe: false);
        await SendAsync(host, "a|3");
        await SendAsync(host, "b|3");
        Assert.Equal("b|3", await client.ReadMessageAsync());
        Assert.Equal(["+a", "+b", "-a"], host.Source.Asked);
    }

    [Fact]
    public async Task Every_message_comes_once_while_subscriptions_change_under_traffic()
    {
        await using var host = await StreamHost.StartAsync("Subscribers:MaxMessages=1000000", "Subscribers:MaxBytes=100000000");
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s", "SUB");
        await using var open = client;
        await client.SubscribeAsync("a");
        using var stop = new CancellationTokenSource();
        var sent = 0;
        var sending = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await SendAsync(host, $"a|{sent++}");
                await Task.Yield();
            }
        });
        var next = 0;
        for (var change = 0; change < 60; change++)
        {
            await client.SendMessageAsync((change % 2 == 0 ? "\u0001" : "\u0000") + "b");
            for (var i = 0; i < 50; i++) Assert.Equal($"a|{next++}", await client.ReadMessageAsync());
        }

        await stop.CancelAsync();
        await sending;
    }

    [Fact]
    public async Task Commands_subscribe_as_well()
    {
        await using var host = await StreamHost.StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s", "XSUB");
        await using var open = client;
        await client.SendAsync(ZwsBytes.Frame(2, [9, .. "SUBSCRIBEx"u8], mask: true));
        Assert.Equal(["+x"], await host.Source.AskedAsync(1));
        await client.SendAsync(ZwsBytes.Frame(2, [6, .. "CANCELx"u8], mask: true));
        Assert.Equal(["+x", "-x"], await host.Source.AskedAsync(2));
    }

    [Fact]
    public async Task The_topic_of_the_path_bounds_what_can_be_subscribed_to()
    {
        await using var host = await StreamHost.StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s/EUR", "SUB");
        await using var open = client;
        await client.SubscribeAsync("USD");
        Assert.Empty(host.Source.Asked);
        await client.SubscribeAsync("");
        await client.SubscribeAsync("EURUSD");
        await client.SubscribeAsync("", subscribe: false);
        Assert.Equal(["+EUR", "+EURUSD", "-EUR"], host.Source.Asked.Where(asked => asked.Length > 4 || asked == "+EUR" || asked == "-EUR").Distinct());
        await SendAsync(host, "EURCHF|1");
        await SendAsync(host, "EURUSD|2");
        Assert.Equal("EURUSD|2", await client.ReadMessageAsync());
    }

    [Fact]
    public async Task A_bare_client_and_a_NULL_client_with_the_same_subscription_share_what_was_encoded()
    {
        await using var host = await StreamHost.StartAsync();
        var (first, _) = await ZwsClient.OpenAsync(host.Port, "/s", "SUB");
        await using var open = first;
        await using var second = await ZwsClient.OpenBareAsync(host.Port, "/s");
        await first.SubscribeAsync("a");
        await second.SubscribeAsync("a");
        await SendAsync(host, "a|1");
        Assert.Equal("a|1", await first.ReadMessageAsync());
        Assert.Equal("a|1", await second.ReadMessageAsync());
        Assert.Equal(["+a"], host.Source.Asked);
        // A delivery is counted behind the send, which the client may see first.
        await ProxyTests.EventuallyAsync(() => (host.Counters.ActiveSubscribers, host.Counters.DeliveredMessages) == (2, 2));
    }

    [Fact]
    public async Task A_PULL_gets_everything_from_a_route_over_PULL()
    {
        await using var gateway = await GatewayHost.StartAsync(
            services => services.AddSingleton<IBackendRegistry, FakeSources>(),
            "Gateway:Backends:feed:Socket=PULL", "Gateway:Backends:feed:Connect:0=inproc://feed", "Gateway:Routes:s:Path=/s/{topic?}", "Gateway:Routes:s:Backend=feed");
        var (client, type) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/s", "PULL");
        await using var open = client;
        Assert.Equal("PUSH", type);
        await client.SettleAsync();
        await ((FakeSources)gateway.Services.GetRequiredService<IBackendRegistry>())["feed"].SendAsync("job"u8.ToArray(), "1"u8.ToArray());
        Assert.Equal("job|1", await client.ReadMessageAsync());
    }

    [Theory]
    [InlineData("PULL")]
    [InlineData("REQ")]
    [InlineData("PUB")]
    public async Task A_peer_of_the_wrong_type_is_refused(string type)
    {
        await using var host = await StreamHost.StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s", type);
        await using var open = client;
        var error = await client.Socket.ReadFrameAsync();
        Assert.Equal([2, 5, .. "ERROR"u8], error!.Payload[..7]);
        Assert.Equal(1002, await client.ReadCloseAsync());
    }

    [Fact]
    public async Task More_topics_than_allowed_close_with_1008()
    {
        await using var host = await StreamHost.StartAsync("Gateway:Limits:MaxTopicsPerClient=2");
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s", "SUB");
        await using var open = client;
        foreach (var topic in (string[])["a", "b", "b", "c"]) await client.SendMessageAsync("\u0001" + topic);
        Assert.Equal(1008, await client.ReadCloseAsync());
    }

    [Fact]
    public async Task A_topic_longer_than_allowed_closes_with_1008()
    {
        await using var host = await StreamHost.StartAsync("Gateway:Limits:MaxTopicLength=8");
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s", "SUB");
        await using var open = client;
        await client.SendMessageAsync("\u0001123456789");
        Assert.Equal(1008, await client.ReadCloseAsync());
    }

    [Theory]
    [InlineData(1, "00")] // Text.
    [InlineData(2, "03")] // Flags that mean nothing.
    [InlineData(2, "")]
    [InlineData(3, "00")]
    public async Task What_breaks_the_protocol_closes_with_1002(int opcode, string payload)
    {
        await using var host = await StreamHost.StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s", "SUB");
        await using var open = client;
        await client.SendAsync(ZwsBytes.WebSocket(opcode, Convert.FromHexString(payload), mask: true));
        Assert.Equal(1002, await client.ReadCloseAsync());
    }

    [Fact]
    public async Task A_message_above_the_limit_closes_with_1009()
    {
        await using var host = await StreamHost.StartAsync("Gateway:Limits:MaxWebSocketMessageSize=200");
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s", "XSUB");
        await using var open = client;
        await client.SendMessageAsync(new string('x', 201));
        Assert.Equal(1009, await client.ReadCloseAsync());
    }

    [Fact]
    public async Task A_clients_close_is_answered_with_its_code_and_ends_its_subscription()
    {
        await using var host = await StreamHost.StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s", "SUB");
        await using var open = client;
        await client.SubscribeAsync("a");
        await client.SendAsync(ZwsBytes.Close(1000, mask: true));
        Assert.Equal(1000, await client.ReadCloseAsync());
        Assert.Null(await client.Socket.ReadFrameAsync());
        Assert.Equal(["+a", "-a"], host.Source.Asked);
        Assert.Equal(0, host.Counters.ActiveSubscribers);
    }

    [Fact]
    public async Task A_peer_is_told_1001_when_the_gateway_stops()
    {
        await using var host = await StreamHost.StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s", "SUB");
        await using var open = client;
        await client.SettleAsync();
        var stopping = host.Gateway.StopAsync();
        Assert.Equal(1001, await client.ReadCloseAsync());
        await client.SendAsync(ZwsBytes.Close(1001, mask: true));
        await stopping.WaitAsync(ScriptedPeer.Patience);
    }

    [Fact]
    public async Task A_subscriber_that_does_not_keep_up_meets_the_routes_policy()
    {
        await using var host = await StreamHost.StartAsync("Subscribers:Policy=Disconnect", "Subscribers:MaxMessages=8", "Subscribers:MaxBytes=65536", "Gateway:Limits:NotSentLowWater=4096");
        var (client, _) = await ZwsClient.OpenAsync(host.Port, "/s", "SUB");
        await using var open = client;
        await client.SubscribeAsync("");
        var body = new string('x', 60_000);
        // Until the kernel's buffers are full and the log's bounds met; the client reads nothing meanwhile.
        for (var i = 0; i < 2_000 && host.Counters.DroppedMessages == 0; i++) await SendAsync(host, $"a|{body}");
        Assert.Equal(4008, await client.ReadCloseAsync());
    }

    [Fact]
    public async Task A_client_that_offers_only_what_is_not_spoken_is_told_what_is()
    {
        await using var host = await StreamHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/s");
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", "websocket");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Protocol", "ZWS2.0/CURVE");
        using var answer = await host.Gateway.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("ZWS2.0/NULL, ZWS2.0", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task SendAsync(StreamHost host, string message) =>
        await host.Source.SendAsync([.. message.Split('|').Select(Encoding.Latin1.GetBytes)]);
}
