using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Backends;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Telemetry;

public class HealthTests
{
    private static readonly string[] TwoBackends =
    [
        "Gateway:Backends:calc:Socket=REQ", "Gateway:Backends:calc:Connect=tcp://127.0.0.1:5555",
        "Gateway:Backends:quotes:Socket=SUB", "Gateway:Backends:quotes:Connect=tcp://127.0.0.1:5556",
        "Gateway:Routes:add:Path=/api/add", "Gateway:Routes:add:Backend=calc",
        "Gateway:Routes:ticker:Path=/quotes/{topic?}", "Gateway:Routes:ticker:Backend=quotes",
    ];

    [Fact]
    public async Task Live_is_always_live()
    {
        await using var gateway = await StartAsync();
        Assert.Equal("""{"status":"live"}""", await gateway.Client.GetStringAsync(new Uri("/health/live", UriKind.Relative)));
    }

    [Theory]
    [InlineData(null, null, "ready", HttpStatusCode.OK)]
    [InlineData("refused", null, "degraded", HttpStatusCode.OK)]
    [InlineData("refused", "silent", "unready", HttpStatusCode.ServiceUnavailable)]
    public async Task Readiness_follows_from_the_backends(string? calc, string? quotes, string status, HttpStatusCode code)
    {
        await using var gateway = await StartAsync();
        var backends = (FakeBackends)gateway.Services.GetRequiredService<IBackendRegistry>();
        (backends["calc"].WhyNotReady, backends["quotes"].WhyNotReady) = (calc, quotes);
        using var response = await gateway.Client.GetAsync(new Uri("/health/ready", UriKind.Relative));
        var health = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((code, status), (response.StatusCode, health.GetProperty("status").GetString()));
        Assert.Equal(calc, health.GetProperty("backends").GetProperty("calc").GetProperty("why").GetString());
    }

    [Fact]
    public async Task Readiness_shows_every_endpoint_and_every_route()
    {
        await using var gateway = await StartAsync();
        var backends = (FakeBackends)gateway.Services.GetRequiredService<IBackendRegistry>();
        backends["calc"].Endpoints = [new EndpointStatus("tcp://127.0.0.1:5555", "connect", "backing off", "refused", DateTimeOffset.UnixEpoch, 1, 2, 3, 4)];
        var health = await gateway.Client.GetFromJsonAsync<JsonElement>(new Uri("/health/ready", UriKind.Relative));
        Assert.Equal(
            """{"endpoint":"tcp://127.0.0.1:5555","role":"connect","state":"backing off","lastError":"refused","since":"1970-01-01T00:00:00+00:00","messagesIn":1,"messagesOut":2,"bytesIn":3,"bytesOut":4}""",
            health.GetProperty("backends").GetProperty("calc").GetProperty("endpoints")[0].GetRawText());
        Assert.Equal("""{"path":"/api/add","methods":["POST"],"kind":"call","backend":"calc"}""", health.GetProperty("routes").GetProperty("add").GetRawText());
        Assert.Equal("stream", health.GetProperty("routes").GetProperty("ticker").GetProperty("kind").GetString());
        Assert.False(health.GetProperty("demo").GetBoolean());
    }

    [Fact]
    public async Task Readiness_is_looked_at_twice_a_second_however_many_ask()
    {
        var clock = new ManualTimeProvider();
        await using var gateway = await GatewayHost.StartAsync(
            services =>
            {
                new FakeRouteKind(_ => Task.CompletedTask).Register(services);
                services.AddSingleton<TimeProvider>(clock);
            },
            TwoBackends);
        var backend = ((FakeBackends)gateway.Services.GetRequiredService<IBackendRegistry>())["calc"];
        Assert.Null(await WhyAsync());
        backend.WhyNotReady = "refused";
        clock.Advance(TimeSpan.FromMilliseconds(499));
        Assert.Null(await WhyAsync());
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("refused", await WhyAsync());

        async Task<string?> WhyAsync() => (await gateway.Client.GetFromJsonAsync<JsonElement>(new Uri("/health/ready", UriKind.Relative)))
            .GetProperty("backends").GetProperty("calc").GetProperty("why").GetString();
    }

    [Fact]
    public async Task A_request_in_flight_is_answered_while_the_gateway_stops()
    {
        var (arrived, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var gateway = await GatewayHost.StartAsync(
            new FakeRouteKind(async context =>
            {
                arrived.SetResult();
                await release.Task;
                context.Response.StatusCode = StatusOf(context.RequestServices);
            }).Register,
            TwoBackends);
        var call = gateway.Client.PostAsync(new Uri("/api/add", UriKind.Relative), content: null);
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(10));
        var stopping = gateway.StopAsync();
        release.SetResult();
        using var response = await call.WaitAsync(TimeSpan.FromSeconds(10));
        await stopping.WaitAsync(TimeSpan.FromSeconds(10));
        // The request saw what a balancer would: draining.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);

        static int StatusOf(IServiceProvider services) => Gateway.Telemetry.HealthEndpoints.Read(services).Status == "draining" ? 503 : 200;
    }

    [Theory]
    [InlineData("/health/live", "GET, HEAD")]
    [InlineData("/health/ready", "GET, HEAD")]
    [InlineData("/openapi/v1.json", "GET")]
    [InlineData("/swagger/index.html", "GET, HEAD")]
    public async Task Another_method_on_a_fixed_path_is_a_problem(string path, string allow)
    {
        await using var gateway = await StartAsync();
        using var response = await gateway.Client.PostAsync(new Uri(path, UriKind.Relative), content: null);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal($"{path} answers {allow}, not POST.", problem.GetProperty("detail").GetString());
        Assert.Equal(allow, string.Join(", ", response.Content.Headers.Allow));
    }

    private static Task<GatewayHost> StartAsync() => GatewayHost.StartAsync(new FakeRouteKind(_ => Task.CompletedTask).Register, TwoBackends);
}
