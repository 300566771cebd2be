using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Streams;

/// <summary>ZeroMQ peers over WebSocket on routes over GATHER and DISH, which those peers do not know: they meet a PUSH and an XPUB.</summary>
public class ZwsSinglePartTests
{
    [Fact]
    public async Task A_PULL_gets_what_SCATTER_sends_to_a_GATHER_backend()
    {
        await using var service = new ScatterSocket();
        await using var gateway = await StartAsync("GATHER", service.Bind("tcp://127.0.0.1:*"));
        var (client, type) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/r", "PULL");
        await using var open = client;
        Assert.Equal("PUSH", type);
        await client.SettleAsync();
        await service.SendAsync(Message.Of("job")).AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("job", await client.ReadMessageAsync());
    }

    [Fact]
    public async Task A_SUB_on_a_DISH_route_joins_the_very_group_that_it_subscribes_to()
    {
        await using var service = new RadioSocket();
        await using var gateway = await StartAsync("DISH", service.Bind("tcp://127.0.0.1:*"));
        var (client, type) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/r", "SUB");
        await using var open = client;
        Assert.Equal("XPUB", type);
        // No group has this name: nothing is joined by it.
        await client.SubscribeAsync("");
        await client.SubscribeAsync("wea");
        await client.SubscribeAsync("weather");
        await SendAsync(service, "weather", "sunny");
        Assert.Equal(0, service.Send("weather.oslo", Message.Of("nobody joined")));
        await SendAsync(service, "wea", "short");
        Assert.Equal("weather|sunny", await client.ReadMessageAsync());
        Assert.Equal("wea|short", await client.ReadMessageAsync());
    }

    [Fact]
    public async Task A_group_in_the_path_is_all_that_can_be_had()
    {
        await using var service = new RadioSocket();
        await using var gateway = await StartAsync("DISH", service.Bind("tcp://127.0.0.1:*"));
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/r/weather", "SUB");
        await using var open = client;
        foreach (var group in (string[])["weather.oslo", "wea", "news", ""]) await client.SubscribeAsync(group);
        await SendAsync(service, "weather", "sunny");
        Assert.Equal("weather|sunny", await client.ReadMessageAsync());
        foreach (var group in (string[])["weather.oslo", "wea", "news"]) Assert.Equal(0, service.Send(group, Message.Of("nobody joined")));
    }

    [Fact]
    public async Task The_empty_subscription_gives_all_groups_that_are_configured()
    {
        await using var service = new RadioSocket();
        await using var gateway = await StartAsync("DISH", service.Bind("tcp://127.0.0.1:*"), "Gateway:Backends:b:Upstream:0=weather", "Gateway:Backends:b:Upstream:1=news");
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/r", "SUB");
        await using var open = client;
        await client.SubscribeAsync("");
        await SendAsync(service, "news", "1");
        Assert.Equal("news|1", await client.ReadMessageAsync());
        await SendAsync(service, "weather", "2");
        Assert.Equal("weather|2", await client.ReadMessageAsync());
    }

    [Theory]
    [InlineData("DISH", "DISH")]
    [InlineData("DISH", "PULL")]
    [InlineData("GATHER", "GATHER")]
    [InlineData("GATHER", "SUB")]
    public async Task A_peer_of_a_type_that_does_not_fit_is_closed_with_1002(string backend, string type)
    {
        await using var gateway = await StartAsync(backend, "tcp://127.0.0.1:1");
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/r", type);
        await using var open = client;
        Assert.Equal(1002, await client.ReadCloseAsync());
    }

    private static Task<GatewayHost> StartAsync(string socket, string service, params string[] settings) => GatewayHost.StartAsync(
        [$"Gateway:Backends:b:Socket={socket}", $"Gateway:Backends:b:Connect:0={service}", "Gateway:Routes:r:Path=/r/{topic?}", "Gateway:Routes:r:Backend=b", .. settings]);

    /// <summary>Sends once the group has been joined at the service; until then nobody is told.</summary>
    private static async Task SendAsync(RadioSocket service, string group, string body)
    {
        using var patience = new CancellationTokenSource(ScriptedPeer.Patience);
        while (service.Send(group, Message.Of(body)) == 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
