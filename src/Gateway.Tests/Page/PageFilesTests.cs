using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Gateway.Documents;
using Gateway.Tests.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Page;

public class PageFilesTests
{
    private static readonly string[] OneRoute =
        ["Gateway:Backends:calc:Socket=REQ", "Gateway:Backends:calc:Connect=tcp://127.0.0.1:5555", "Gateway:Routes:add:Path=/api/add", "Gateway:Routes:add:Backend=calc"];

    [Fact]
    public async Task The_page_is_served_with_a_users_configuration_from_any_directory()
    {
        // The host's content root is a new directory that holds nothing.
        await using var gateway = await GatewayHost.StartAsync(OneRoute);
        using var response = await gateway.Client.GetAsync(new Uri("/", UriKind.Relative));
        Assert.Equal((HttpStatusCode.OK, "text/html"), (response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        Assert.Contains("<title>Gateway</title>", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(PageFiles.ContentSecurityPolicy, Assert.Single(response.Headers.GetValues("Content-Security-Policy")));
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.DoesNotContain("unsafe", PageFiles.ContentSecurityPolicy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_file_that_the_page_names_is_there_and_no_other_host()
    {
        await using var gateway = await GatewayHost.StartAsync(OneRoute);
        var html = await gateway.Client.GetStringAsync(new Uri("/", UriKind.Relative));
        var names = Regex.Matches(html, "(?:href|src)=\"(page/[^\"]+)\"").Select(match => match.Groups[1].Value).ToArray();
        var modules = Directory.GetFiles(SourceTree.PathOf("src/Gateway/wwwroot/page")).Select(file => $"page/{Path.GetFileName(file)}");
        Assert.Equal(modules.Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
        Assert.DoesNotMatch("(href|src)=\"(https?:)?//", html);
        foreach (var name in names)
        {
            using var response = await gateway.Client.GetAsync(new Uri($"/{name}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("gzip, br")]
    public async Task What_did_not_change_is_not_sent_again(string encodings)
    {
        await using var gateway = await GatewayHost.StartAsync(OneRoute);
        using var first = await SendAsync(HttpMethod.Get, null);
        Assert.Equal("no-cache", first.Headers.CacheControl!.ToString());
        Assert.Equal(encodings.Length > 0, first.Content.Headers.ContentEncoding.Contains("gzip"));
        using var second = await SendAsync(HttpMethod.Get, first.Headers.ETag);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        using var head = await SendAsync(HttpMethod.Head, null);
        Assert.Equal((HttpStatusCode.OK, first.Content.Headers.ContentLength), (head.StatusCode, head.Content.Headers.ContentLength));

        async Task<HttpResponseMessage> SendAsync(HttpMethod method, EntityTagHeaderValue? known)
        {
            using var request = new HttpRequestMessage(method, new Uri("/page/app.js", UriKind.Relative));
            request.Headers.TryAddWithoutValidation("Accept-Encoding", encodings);
            if (known is not null) request.Headers.IfNoneMatch.Add(known);
            return await gateway.Client.SendAsync(request);
        }
    }

    [Theory]
    [InlineData("POST", "/")]
    [InlineData("GET", "/page/none.js")]
    [InlineData("GET", "/index.html")]
    public async Task What_is_not_the_page_is_not_found(string method, string path)
    {
        await using var gateway = await GatewayHost.StartAsync(OneRoute);
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task A_configured_route_may_have_the_pages_path()
    {
        await using var gateway = await GatewayHost.StartAsync(
            new FakeRouteKind(static context => context.Response.WriteAsync("mine")).Register,
            [.. OneRoute, "Gateway:Routes:home:Path=/", "Gateway:Routes:home:Backend=calc", "Gateway:Routes:home:Methods:0=GET"]);
        Assert.Equal("mine", await gateway.Client.GetStringAsync(new Uri("/", UriKind.Relative)));
    }
}
