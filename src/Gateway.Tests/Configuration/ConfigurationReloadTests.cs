using System.Net;
using Gateway.Configuration;
using Gateway.Routing;
using Gateway.Tests.TestSupport;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Gateway.Tests.Configuration;

public class ConfigurationReloadTests
{
    private static readonly string[] OneRoute =
    [
        "Gateway:Backends:calc:Socket=REQ", "Gateway:Backends:calc:Connect=tcp://127.0.0.1:5555",
        "Gateway:Routes:add:Path=/api/add", "Gateway:Routes:add:Backend=calc",
    ];

    [Fact]
    public async Task A_route_that_is_written_into_the_file_is_served()
    {
        await using var gateway = await GatewayHost.StartAsync(new FakeRouteKind(_ => Task.CompletedTask).Register, OneRoute);
        var reloaded = new TaskCompletionSource<GatewaySnapshot>();
        using var listening = gateway.Services.GetRequiredService<GatewayConfiguration>().OnChange(reloaded.SetResult);
        await File.WriteAllTextAsync(Path.Combine(gateway.Directory, "gateway.json"), """{"Gateway":{"Routes":{"sub":{"Path":"/api/sub","Backend":"calc"}}}}""");
        await reloaded.Task.WaitAsync(TimeSpan.FromSeconds(20));
        using var response = await gateway.Client.PostAsync(new Uri("/api/sub", UriKind.Relative), content: null);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_reload_replaces_what_changed_and_keeps_the_rest()
    {
        var kind = new FakeRouteKind(context => context.Response.WriteAsync("here"));
        await using var gateway = await GatewayHost.StartAsync(kind.Register, [.. OneRoute, "Gateway:Routes:sub:Path=/api/sub", "Gateway:Routes:sub:Backend=calc"]);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "/api/sub"));
        gateway.Services.GetRequiredService<GatewayConfiguration>().Replace(Snapshot([.. OneRoute, "Gateway:Routes:mul:Path=/api/mul", "Gateway:Routes:mul:Backend=calc"]));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "/api/add"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "/api/mul"));
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(gateway, "/api/sub"));
        Assert.Equal(["sub"], kind.Removed);
    }

    [Fact]
    public async Task A_reload_with_a_constraint_that_does_not_exist_keeps_what_runs_and_the_next_one_is_taken()
    {
        await using var gateway = await GatewayHost.StartAsync(new FakeRouteKind(_ => Task.CompletedTask).Register, OneRoute);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "/api/add"));
        await ReloadAsync(gateway, """{"Gateway":{"Routes":{"new":{"Path":"/new/{x:foo}","Backend":"calc"}}}}""");
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "/api/add"));
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(gateway, "/new/1"));
        await ReloadAsync(gateway, """{"Gateway":{"Routes":{"new":{"Path":"/new/{x:int}","Backend":"calc"}}}}""");
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "/new/1"));
    }

    [Fact]
    public async Task A_route_that_cannot_be_made_keeps_all_that_runs_and_lets_go_of_what_was_made_for_it()
    {
        var kind = new FakeRouteKind(_ => Task.CompletedTask) { Refuse = "zbad" };
        await using var gateway = await GatewayHost.StartAsync(kind.Register, OneRoute);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "/api/add"));
        await ReloadAsync(gateway,
            """{"Gateway":{"Routes":{"new":{"Path":"/new","Backend":"calc"},"zbad":{"Path":"/bad","Backend":"calc"}}}}""");
        Assert.Equal(["new"], kind.Removed);
        Assert.Equal("add", Assert.Single(gateway.Services.GetRequiredService<GatewayConfiguration>().Current.Routes).Key);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "/api/add"));
        Assert.Equal(HttpStatusCode.NotFound, await PostAsync(gateway, "/new"));
    }

    [Fact]
    public async Task Endpoints_that_routing_refuses_are_found_out_before_they_are_served()
    {
        await using var gateway = await GatewayHost.StartAsync(new FakeRouteKind(_ => Task.CompletedTask).Register, OneRoute);
        var bad = new RouteEndpointBuilder(_ => Task.CompletedTask, RoutePatternFactory.Parse("/{x:foo}"), order: 0).Build();
        Assert.Contains("foo",
            Assert.Throws<InvalidOperationException>(() => gateway.Services.GetRequiredService<EndpointTrial>().Try([bad])).Message,
            StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "/api/add"));
    }

    [Fact]
    public async Task A_follower_that_throws_at_a_change_keeps_the_others_from_nothing()
    {
        await using var gateway = await GatewayHost.StartAsync(new FakeRouteKind(_ => Task.CompletedTask).Register, OneRoute);
        var configuration = gateway.Services.GetRequiredService<GatewayConfiguration>();
        var failure = new InvalidOperationException("broken");
        GatewaySnapshot? heard = null;
        using var broken = configuration.OnChange(_ => throw failure);
        using var whole = configuration.OnChange(snapshot => heard = snapshot);
        var next = Snapshot([.. OneRoute, "Gateway:Routes:mul:Path=/api/mul", "Gateway:Routes:mul:Backend=calc"]);
        Assert.Equal([failure], configuration.Replace(next));
        Assert.Same(next, heard);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "/api/mul"));
    }

    [Theory]
    [InlineData("""{"Gateway":{"Routes":{"add":{"Path":"/api/add","Backend":"nobody","Bakend":"x"}}}}""", "Error: The changed configuration is not taken over, the running one stays; 2 problems:", "Error: Gateway:Routes:add:Bakend is not a setting; did you mean Backend?", "Error: Gateway:Routes:add:Backend is \"nobody\"; allowed: one of calc.")]
    [InlineData("""{"Gateway":{"Backends":{"calc":{"Timeout":"00:00:09"}}}}""", "Warning: Gateway:Backends changed; restart the gateway to apply it")]
    [InlineData("""{"Gateway":{"Limits":{"PingInterval":"00:00:09"}}}""", "Warning: Gateway:Limits changed; restart the gateway to apply it")]
    [InlineData("""{"Gateway":{"Routes":{"add":{"Path":"/api/sum"},"sub":{"Path":"/api/sub","Backend":"calc"}}}}""", "Information: Configuration reloaded: 1 routes added, 1 changed, 0 removed")]
    [InlineData("""{"Gateway":{"Routes":{"add":{"Path":"/api/add"}}}}""")]
    public void A_reload_says_what_it_did(string file, params string[] log)
    {
        using var directory = new TemporaryDirectory();
        // Files come before the command line, so the test's base is a file that sorts first and the change one that follows.
        File.WriteAllText(directory.File("base.json"), """{"Gateway":{"Backends":{"calc":{"Socket":"REQ","Connect":["tcp://127.0.0.1:5555"]}},"Routes":{"add":{"Path":"/api/add","Backend":"calc"}}}}""");
        File.WriteAllText(directory.File("change.json"), "{}");
        using var sources = new ConfigurationSources(directory.Path, ["base.json", "change.json"], []);
        var configuration = new GatewayConfiguration(new ConfigurationReader([]).Read(sources.Load()));
        var (logger, before) = (new ListLogger<ConfigurationReloader>(), configuration.Current);
        using var reloader = new ConfigurationReloader(sources, configuration, [], TimeProvider.System, logger);
        File.WriteAllText(directory.File("change.json"), file);
        reloader.Reload();
        Assert.Equal(log, logger.Lines);
        Assert.Equal(log.Any(line => line.Contains("reloaded", StringComparison.Ordinal)), !ReferenceEquals(before, configuration.Current));
    }

    [Fact]
    public void A_file_that_cannot_be_read_any_more_keeps_the_running_configuration()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("gateway.yaml"), "Gateway: { Backends: {}, Routes: {} }");
        using var sources = new ConfigurationSources(directory.Path, [], ["Gateway:Limits:DrainTimeout=00:00:01"]);
        var configuration = new GatewayConfiguration(new ConfigurationReader([]).Read(sources.Load()));
        var (logger, before) = (new ListLogger<ConfigurationReloader>(), configuration.Current);
        using var reloader = new ConfigurationReloader(sources, configuration, [], TimeProvider.System, logger);
        File.WriteAllText(directory.File("gateway.yaml"), "Gateway: [");
        reloader.Reload();
        Assert.Contains("gateway.yaml cannot be read: line ", logger.Lines[1], StringComparison.Ordinal);
        Assert.Same(before, configuration.Current);
    }

    private static GatewaySnapshot Snapshot(string[] settings)
    {
        using var sources = new ConfigurationSources(Path.GetTempPath(), [], settings);
        return new ConfigurationReader([]).Read(sources.Load());
    }

    private static async Task ReloadAsync(GatewayHost gateway, string file)
    {
        await File.WriteAllTextAsync(Path.Combine(gateway.Directory, "gateway.json"), file);
        // As the watcher's timer does; a second time is nothing.
        gateway.Services.GetServices<IHostedService>().OfType<ConfigurationReloader>().Single().Reload();
    }

    private static async Task<HttpStatusCode> PostAsync(GatewayHost gateway, string path)
    {
        using var response = await gateway.Client.PostAsync(new Uri(path, UriKind.Relative), content: null);
        return response.StatusCode;
    }
}
