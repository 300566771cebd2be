using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Backends;
using Gateway.Tests.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Routing;

public class RouteTests
{
    private static readonly string[] OneRoute =
    [
        "Gateway:Backends:calc:Socket=REQ", "Gateway:Backends:calc:Connect=tcp://127.0.0.1:5555",
        "Gateway:Routes:add:Path=/api/add", "Gateway:Routes:add:Backend=calc",
    ];

    [Fact]
    public async Task A_configured_route_answers_at_its_path()
    {
        await using var gateway = await StartAsync(context => context.Response.WriteAsync("sum"));
        using var response = await gateway.Client.PostAsync(new Uri("/api/add", UriKind.Relative), content: null);
        Assert.Equal("sum", await response.Content.ReadAsStringAsync());
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task An_unknown_path_is_a_problem()
    {
        await using var gateway = await StartAsync(_ => Task.CompletedTask);
        using var response = await gateway.Client.GetAsync(new Uri("/nowhere", UriKind.Relative));
        await AssertProblemAsync(response, HttpStatusCode.NotFound, "not-found", "No route has the path /nowhere; /health/ready lists the routes.");
    }

    [Fact]
    public async Task Another_method_is_a_problem_that_says_which_are_allowed()
    {
        await using var gateway = await StartAsync(_ => Task.CompletedTask);
        using var response = await gateway.Client.DeleteAsync(new Uri("/api/add", UriKind.Relative));
        Assert.Equal(["POST"], response.Content.Headers.Allow);
        await AssertProblemAsync(response, HttpStatusCode.MethodNotAllowed, "method-not-allowed", "/api/add answers POST, not DELETE.");
    }

    [Fact]
    public async Task A_failed_backend_is_a_problem_with_its_status_code_and_reason()
    {
        await using var gateway = await StartAsync(_ => throw new BackendUnavailableException("calc", "tcp://127.0.0.1:5555 refused"));
        using var response = await gateway.Client.PostAsync(new Uri("/api/add", UriKind.Relative), content: null);
        await AssertProblemAsync(
            response, HttpStatusCode.ServiceUnavailable, "backend-unavailable", "Backend 'calc' has no ready peer: tcp://127.0.0.1:5555 refused");
    }

    [Fact]
    public async Task A_failure_after_the_first_byte_aborts_the_response()
    {
        await using var gateway = await StartAsync(async context =>
        {
            await context.Response.WriteAsync("half");
            await context.Response.Body.FlushAsync();
            throw new BackendLostException("calc", "tcp://127.0.0.1:5555", replyBegan: false);
        });
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => gateway.Client.PostAsync(new Uri("/api/add", UriKind.Relative), content: null));
    }

    [Fact]
    public async Task A_defect_is_a_problem_that_tells_nothing_of_the_inside()
    {
        await using var gateway = await StartAsync(_ => throw new InvalidOperationException("secret"));
        using var response = await gateway.Client.PostAsync(new Uri("/api/add", UriKind.Relative), content: null);
        await AssertProblemAsync(response, HttpStatusCode.InternalServerError, "internal-error", "The gateway failed; its log says why.");
    }

    [Fact]
    public async Task A_problem_carries_the_trace_of_its_caller()
    {
        await using var gateway = await StartAsync(_ => throw new BackendTimeoutException("calc", TimeSpan.FromSeconds(5)));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/add");
        request.Headers.Add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        using var response = await gateway.Client.SendAsync(request);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("4bf92f3577b34da6a3ce929d0e0e4736", problem.GetProperty("traceId").GetString());
    }

    private static Task<GatewayHost> StartAsync(RequestDelegate handle) => GatewayHost.StartAsync(new FakeRouteKind(handle).Register, OneRoute);

    private static async Task AssertProblemAsync(HttpResponseMessage response, HttpStatusCode status, string code, string detail)
    {
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        var problem = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Equal(detail, problem.GetProperty("detail").GetString());
        Assert.Equal($"urn:gateway:problem:{code}", problem.GetProperty("type").GetString());
        Assert.NotEmpty(problem.GetProperty("title").GetString()!);
        Assert.NotEmpty(problem.GetProperty("traceId").GetString()!);
    }
}
