using Gateway.Backends;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Publishing;

/// <summary>ZeroMQ peers over WebSocket on push and publish routes.</summary>
public class ZwsSenderTests
{
    [Fact]
    public async Task A_PUSHs_messages_go_on_as_they_are_and_in_order()
    {
        await using var gateway = await StartAsync("PUSH");
        var (client, type) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/p", "PUSH");
        await using var open = client;
        Assert.Equal("PULL", type);
        await client.SendMessageAsync("a", "", "b");
        await client.SendMessageAsync("c");
        await client.SettleAsync();
        Assert.Equal(["a||b", "c"], Publisher(gateway).Messages);
    }

    [Fact]
    public async Task A_PUB_is_subscribed_to_and_what_it_publishes_goes_on()
    {
        await using var gateway = await StartAsync("PUB");
        var (client, type) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/p", "PUB");
        await using var open = client;
        Assert.Equal("XSUB", type);
        Assert.Equal([0, 1], (await client.Socket.ReadFrameAsync())!.Payload);
        await client.SendMessageAsync("topic", "1");
        await client.SettleAsync();
        Assert.Equal(["topic|1"], Publisher(gateway).Messages);
    }

    [Fact]
    public async Task While_no_worker_takes_anything_the_client_is_not_read_and_nothing_is_lost()
    {
        await using var gateway = await StartAsync("PUSH");
        var publisher = Publisher(gateway);
        publisher.Failure = new BackendUnavailableException("out", "nobody");
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/p", "PUSH");
        await using var open = client;
        await client.SendMessageAsync("1");
        // What follows is read only when the first message has gone: so is the ping behind it.
        await client.SendMessageAsync("2");
        Assert.Empty(publisher.Messages);
        publisher.Failure = null;
        await client.SettleAsync();
        Assert.Equal(["1", "2"], publisher.Messages);
    }

    [Fact]
    public async Task A_message_above_MaxBodySize_closes_with_1009()
    {
        await using var gateway = await StartAsync("PUSH", "MaxBodySize=10");
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/p", "PUSH");
        await using var open = client;
        await client.SendMessageAsync("12345", "678901");
        Assert.Equal(1009, await client.ReadCloseAsync());
        Assert.Empty(Publisher(gateway).Messages);
    }

    private static Task<GatewayHost> StartAsync(string socket, params string[] settings) => GatewayHost.StartAsync(
        services => services.AddSingleton<IBackendRegistry, FakePublishers>(),
        [
            $"Gateway:Backends:out:Socket={socket}", "Gateway:Backends:out:Connect:0=inproc://out", "Gateway:Routes:p:Path=/p/{topic?}", "Gateway:Routes:p:Backend=out",
            .. settings.Select(setting => $"Gateway:Routes:p:{setting}"),
        ]);

    private static FakePublisher Publisher(GatewayHost gateway) => ((FakePublishers)gateway.Services.GetRequiredService<IBackendRegistry>())["out"];
}
