using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Documents;

public class OpenApiTests
{
    private static readonly Uri Document = new("/openapi/v1.json", UriKind.Relative);
    private static readonly string[] DevicePaths = ["/gateway/devices", "/gateway/devices/{name}", .. ((string[])["pause", "restart", "resume", "start", "stop"]).Select(action => $"/gateway/devices/{{name}}/{action}")];

    private static readonly string[] Routes =
    [
        "Gateway:Backends:calc:Socket=REQ", "Gateway:Backends:calc:Connect=tcp://127.0.0.1:5555",
        "Gateway:Backends:news:Socket=PUB", "Gateway:Backends:news:Bind=tcp://*:0",
        "Gateway:Backends:quotes:Socket=SUB", "Gateway:Backends:quotes:Connect=tcp://127.0.0.1:5556",
        "Gateway:Routes:price:Path=/api/price/{symbol:alpha}", "Gateway:Routes:price:Backend=calc", "Gateway:Routes:price:Methods:0=GET",
        "Gateway:Routes:price:Request:0=price", "Gateway:Routes:price:Request:1={route:symbol}", "Gateway:Routes:price:Request:2={query:at|u32le}",
        "Gateway:Routes:price:ContentType=text/plain; charset=utf-8",
        "Gateway:Routes:publish:Path=/news/{topic?}", "Gateway:Routes:publish:Backend=news", "Gateway:Routes:publish:Summary=Tell everybody.",
        "Gateway:Routes:ticker:Path=/quotes", "Gateway:Routes:ticker:Backend=quotes",
    ];

    [Fact]
    public async Task The_checked_in_document_of_the_demo_is_current()
    {
        await using var gateway = await GatewayHost.StartAsync();
        CheckedIn.AssertCurrent("openapi/gateway-demo.json", await gateway.Client.GetStringAsync(Document) + "\n");
    }

    [Fact]
    public async Task A_call_route_is_an_operation_with_its_parameters_and_responses()
    {
        var price = (await ReadAsync()).GetProperty("paths").GetProperty("/api/price/{symbol}").GetProperty("get");
        Assert.Equal("price", price.GetProperty("operationId").GetString());
        Assert.Equal("calc", price.GetProperty("tags")[0].GetString());
        Assert.Equal(["symbol in path", "at in query"], price.GetProperty("parameters").EnumerateArray().Select(parameter => $"{parameter.GetProperty("name")} in {parameter.GetProperty("in")}"));
        Assert.Equal(["200", "400", "404", "502", "503", "504"], price.GetProperty("responses").EnumerateObject().Select(response => response.Name));
        Assert.True(price.GetProperty("responses").GetProperty("200").GetProperty("content").TryGetProperty("text/plain", out _));
        Assert.False(price.TryGetProperty("requestBody", out _));
    }

    [Fact]
    public async Task A_path_whose_parameter_may_be_left_out_is_two_paths()
    {
        var paths = (await ReadAsync()).GetProperty("paths");
        var (with, without) = (paths.GetProperty("/news/{topic}").GetProperty("post"), paths.GetProperty("/news").GetProperty("post"));
        Assert.Equal(("publishAt", "publish"), (with.GetProperty("operationId").GetString(), without.GetProperty("operationId").GetString()));
        Assert.Equal("Tell everybody.", without.GetProperty("summary").GetString());
        Assert.True(with.GetProperty("responses").TryGetProperty("202", out _));
        Assert.Equal("binary", with.GetProperty("requestBody").GetProperty("content").GetProperty("application/octet-stream").GetProperty("schema").GetProperty("format").GetString());
    }

    [Fact]
    public async Task Streams_are_left_out_and_health_is_there() => Assert.Equal(
        ["/api/price/{symbol}", .. DevicePaths, "/health/live", "/health/ready", "/news", "/news/{topic}"],
        (await ReadAsync()).GetProperty("paths").EnumerateObject().Select(path => path.Name).Order(StringComparer.Ordinal));

    [Fact]
    public async Task The_page_of_the_API_asks_no_other_host()
    {
        await using var gateway = await StartAsync();
        var page = await gateway.Client.GetStringAsync(new Uri("/swagger", UriKind.Relative));
        Assert.DoesNotMatch("(src|href)=.(https?:)?//", page);
        var files = Regex.Matches(page, "(?:src|href)=\"\\./([^\"]+)\"").Select(match => match.Groups[1].Value).ToArray();
        Assert.Contains("swagger-ui-bundle.js", files);
        foreach (var file in files)
        {
            using var response = await gateway.Client.GetAsync(new Uri($"/swagger/{file}", UriKind.Relative));
            Assert.True(response.IsSuccessStatusCode, file);
        }
    }

    private static async Task<JsonElement> ReadAsync()
    {
        await using var gateway = await StartAsync();
        return await gateway.Client.GetFromJsonAsync<JsonElement>(Document);
    }

    private static Task<GatewayHost> StartAsync() => GatewayHost.StartAsync(new FakeRouteKind(_ => Task.CompletedTask).Register, Routes);
}
