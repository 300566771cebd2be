using System.Net;
using Gateway.Backends;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Publishing;

public class PublishEndpointTests
{
    [Theory]
    [InlineData("/p/EURUSD", "EURUSD|1.08")]
    [InlineData("/p?topic=EUR%2FUSD", "EUR/USD|1.08")]
    [InlineData("/p/a?topic=b", "a|1.08")] // The path goes first.
    [InlineData("/p?topic=", "|1.08")]
    [InlineData("/p", "1.08")]
    public async Task A_publish_route_sends_the_topic_and_the_body(string target, string message)
    {
        await using var gateway = await StartAsync("PUB");
        var publisher = Publisher(gateway);
        publisher.Peers = 3;
        using var answer = await gateway.Client.PostAsync(target, new StringContent("1.08"));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("{\"peers\":3}", await answer.Content.ReadAsStringAsync());
        Assert.Equal([message], publisher.Messages);
    }

    [Fact]
    public async Task A_template_says_what_is_sent_instead()
    {
        await using var gateway = await StartAsync("PUB", "Request:0={route:topic}", "Request:1={query:n|u8}", "Request:2={body}");
        using var answer = await gateway.Client.PostAsync("/p/t?n=65", new StringContent("x"));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(["t|A|x"], Publisher(gateway).Messages);
    }

    [Fact]
    public async Task A_push_route_sends_the_body_alone()
    {
        await using var gateway = await StartAsync("PUSH");
        using var answer = await gateway.Client.PostAsync("/p/ignored", new StringContent("job"));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(["job"], Publisher(gateway).Messages);
    }

    [Fact]
    public async Task A_push_that_no_worker_takes_is_answered_with_503_and_why()
    {
        await using var gateway = await StartAsync("PUSH");
        Publisher(gateway).Failure = new BackendUnavailableException("out", "tcp://127.0.0.1:1 refused");
        using var answer = await gateway.Client.PostAsync("/p", new StringContent("job"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("refused", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, HttpStatusCode.Accepted)]
    [InlineData(11, HttpStatusCode.RequestEntityTooLarge)]
    public async Task A_body_beyond_the_limit_is_refused_and_not_sent(int length, HttpStatusCode status)
    {
        await using var gateway = await StartAsync("PUB", "MaxBodySize=10");
        using var answer = await gateway.Client.PostAsync("/p", new ByteArrayContent(new byte[length]));
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(status == HttpStatusCode.Accepted ? 1 : 0, Publisher(gateway).Messages.Count);
    }

    [Fact]
    public async Task A_message_has_one_topic()
    {
        await using var gateway = await StartAsync("PUB");
        using var answer = await gateway.Client.PostAsync("/p?topic=a&topic=b", new StringContent("x"));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(Publisher(gateway).Messages);
    }

    private static FakePublisher Publisher(GatewayHost gateway) => ((FakePublishers)gateway.Services.GetRequiredService<IBackendRegistry>())["out"];

    private static Task<GatewayHost> StartAsync(string socket, params string[] route) => GatewayHost.StartAsync(
        services => services.AddSingleton<IBackendRegistry, FakePublishers>(),
        [$"Gateway:Backends:out:Socket={socket}", "Gateway:Backends:out:Bind:0=inproc://out", "Gateway:Routes:p:Path=/p/{topic?}",
            "Gateway:Routes:p:Backend=out", .. route.Select(setting => $"Gateway:Routes:p:{setting}")]);
}
