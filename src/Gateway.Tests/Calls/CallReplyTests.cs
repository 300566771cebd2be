using System.Net;
using System.Text.Json;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Calls;

public class CallReplyTests
{
    [Fact]
    public async Task The_default_reply_is_the_body_with_its_length()
    {
        await using var gateway = await FakeCaller.Replying("hello").StartAsync();
        using var response = await gateway.Client.PostAsync("/call", content: null);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(("application/octet-stream", 5L), (response.Content.Headers.ContentType!.ToString(), response.Content.Headers.ContentLength));
        Assert.Equal("hello", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_empty_frame_is_an_empty_body()
    {
        await using var gateway = await FakeCaller.Replying("").StartAsync("ContentType=text/plain");
        using var response = await gateway.Client.PostAsync("/call", content: null);
        Assert.Equal((HttpStatusCode.OK, 0L), (response.StatusCode, response.Content.Headers.ContentLength));
    }

    [Fact]
    public async Task The_backend_says_status_and_headers()
    {
        await using var gateway = await FakeCaller.Replying("201", "text/csv", "a=1", "ignored", "x;y", "ignored").StartAsync(
            "Reply:0={status}", "Reply:1={header:Content-Type}", "Reply:2={header:Set-Cookie}", "Reply:3={skip}", "Reply:4={body}", "Reply:5={skip}",
            "ContentType=text/plain");
        using var response = await gateway.Client.PostAsync("/call", content: null);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(("text/csv", 3L), (response.Content.Headers.ContentType!.ToString(), response.Content.Headers.ContentLength));
        Assert.Equal(["a=1"], response.Headers.GetValues("Set-Cookie"));
        Assert.Equal("x;y", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_head_says_status_and_headers()
    {
        await using var gateway = await FakeCaller.Replying("""{"status":404,"headers":{"X-Why":"gone","Set-Cookie":"a=1"}}""", "nope").StartAsync("Reply:0={head}", "Reply:1={body}");
        using var response = await gateway.Client.PostAsync("/call", content: null);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal(["gone"], response.Headers.GetValues("X-Why"));
        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.Equal("nope", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("204")]
    [InlineData("304")]
    public async Task A_status_without_content_drops_the_body(string status)
    {
        await using var gateway = await FakeCaller.Replying(status, "dropped").StartAsync("Reply:0={status}", "Reply:1={body}");
        using var response = await gateway.Client.PostAsync("/call", content: null);
        Assert.Equal(int.Parse(status), (int)response.StatusCode);
        Assert.Equal("", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_template_without_a_body_gives_an_empty_one()
    {
        await using var gateway = await FakeCaller.Replying("202").StartAsync("Reply:0={status}");
        using var response = await gateway.Client.PostAsync("/call", content: null);
        Assert.Equal((HttpStatusCode.Accepted, 0L), (response.StatusCode, response.Content.Headers.ContentLength));
    }

    [Theory]
    [InlineData("99", "x")]
    [InlineData("100", "x")]
    [InlineData("600", "x")]
    [InlineData("+20", "x")]
    [InlineData("20O", "x")]
    [InlineData("", "x")]
    [InlineData("200")]
    public async Task A_reply_that_is_not_what_the_template_says_is_a_bad_reply(params string[] frames)
    {
        await using var gateway = await FakeCaller.Replying(frames).StartAsync("Reply:0={status}", "Reply:1={body}");
        using var response = await gateway.Client.PostAsync("/call", content: null);
        await AssertProblemAsync(response, HttpStatusCode.BadGateway, "backend-bad-reply");
    }

    [Theory]
    [InlineData("a\r\nInjected: yes")]
    [InlineData("a\0b")]
    public async Task No_header_is_injected_through_a_value(string value)
    {
        await using var gateway = await FakeCaller.Replying(value, "x").StartAsync("Reply:0={header:X-Tag}", "Reply:1={body}");
        using var response = await gateway.Client.PostAsync("/call", content: null);
        Assert.False(response.Headers.Contains("Injected"));
        await AssertProblemAsync(response, HttpStatusCode.BadGateway, "backend-bad-reply");
    }

    [Fact]
    public async Task A_header_of_64_KiB_is_a_bad_reply()
    {
        await using var gateway = await FakeCaller.Replying(new string('a', 64 * 1024), "x").StartAsync("Reply:0={header:X-Tag}", "Reply:1={body}");
        using var response = await gateway.Client.PostAsync("/call", content: null);
        await AssertProblemAsync(response, HttpStatusCode.BadGateway, "backend-bad-reply");
    }

    [Fact]
    public async Task A_reply_without_a_frame_is_a_bad_reply()
    {
        await using var gateway = await FakeCaller.Replying().StartAsync();
        using var response = await gateway.Client.PostAsync("/call", content: null);
        await AssertProblemAsync(response, HttpStatusCode.BadGateway, "backend-bad-reply");
    }

    [Theory]
    [InlineData("{body}", "one", "two", "")]
    [InlineData("{parts}", "one", "two", "")]
    [InlineData("{parts}", "one")]
    public async Task Several_frames_are_multipart(string line, params string[] frames)
    {
        await using var gateway = await FakeCaller.Replying(frames).StartAsync($"Reply:0={line}", "ContentType=text/plain");
        using var response = await gateway.Client.PostAsync("/call", content: null);
        var type = response.Content.Headers.ContentType!;
        Assert.Equal("multipart/mixed", type.MediaType);
        var reader = new Microsoft.AspNetCore.WebUtilities.MultipartReader(type.Parameters.Single().Value!, await response.Content.ReadAsStreamAsync());
        foreach (var frame in frames)
        {
            var section = (await reader.ReadNextSectionAsync())!;
            Assert.Equal("text/plain", section.ContentType);
            using var text = new StreamReader(section.Body);
            Assert.Equal(frame, await text.ReadToEndAsync());
        }

        Assert.Null(await reader.ReadNextSectionAsync());
    }

    [Theory]
    [InlineData("application/json", "application/json", """[{"a":1},"no json",{"data64":"//4="}]""")]
    [InlineData("text/plain", "application/json, application/problem+json;q=0.5", """["{\"a\":1}","no json",{"data64":"//4="}]""")]
    public async Task Several_frames_are_a_JSON_array_for_who_accepts_only_JSON(string contentType, string accept, string expected)
    {
        var caller = new FakeCaller(call => call.ReplyAsync(["""{"a":1}"""u8.ToArray(), "no json"u8.ToArray(), [0xff, 0xfe]]));
        await using var gateway = await caller.StartAsync("Reply:0={parts}", $"ContentType={contentType}");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/call");
        request.Headers.Add("Accept", accept);
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        using var sent = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        using var wanted = JsonDocument.Parse(expected);
        Assert.True(JsonElement.DeepEquals(wanted.RootElement, sent.RootElement), sent.RootElement.GetRawText());
    }

    [Theory]
    [InlineData("*/*")]
    [InlineData("application/json, text/plain")]
    public async Task Who_accepts_more_than_JSON_gets_multipart(string accept)
    {
        await using var gateway = await FakeCaller.Replying("1", "2").StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/call");
        request.Headers.Add("Accept", accept);
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal("multipart/mixed", response.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("{body}")]
    [InlineData("{parts}")]
    public async Task A_reply_to_HEAD_has_headers_and_no_body(string line)
    {
        await using var gateway = await FakeCaller.Replying("hello").StartAsync("Methods:0=HEAD", $"Reply:0={line}");
        using var client = new RawHttpClient(gateway.BaseAddress);
        await client.SendAsync("HEAD /call HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        var response = await client.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", response, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", response, StringComparison.Ordinal);
        Assert.DoesNotContain("hello", response, StringComparison.Ordinal);
    }

    internal static async Task AssertProblemAsync(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == response.StatusCode, $"{response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        var problem = JsonDocument.Parse(text).RootElement;
        Assert.Equal(code, problem.GetProperty("code").GetString());
    }
}
