using System.Net;
using System.Text;
using Gateway.Templates;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Calls;

public class CallRequestTests
{
    private const int OverBuffer = RequestBody.BufferLimit + 1;

    [Fact]
    public async Task The_template_makes_the_frames()
    {
        var caller = new FakeCaller(call => call.ReplyAsync(string.Join('|', call.Texts)));
        await using var gateway = await caller.StartAsync("Request:0={method} {path}", "Request:1={route:id}", "Request:2={query:n|hex}", "Request:3={body}");
        using var response = await gateway.Client.PostAsync("/call/a%20b?n=4142", new StringContent("body"));
        Assert.Equal("POST /call/a%20b|a b|AB|body", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_value_of_another_type_is_a_bad_request()
    {
        await using var gateway = await FakeCaller.Replying("x").StartAsync("Request:0={query:n|u8}");
        using var response = await gateway.Client.PostAsync("/call?n=256", content: null);
        await CallReplyTests.AssertProblemAsync(response, HttpStatusCode.BadRequest, "bad-request-value");
    }

    [Fact]
    public async Task Parts_of_a_multipart_body_are_frames()
    {
        var caller = new FakeCaller(call => call.ReplyAsync(string.Join('|', call.Texts)));
        await using var gateway = await caller.StartAsync("Request:0=put", "Request:1={parts}");
        using var content = new MultipartContent("mixed") { new StringContent("one"), new StringContent("two") };
        using var response = await gateway.Client.PostAsync("/call", content);
        Assert.Equal("put|one|two", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(RequestBody.BufferLimit, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(RequestBody.BufferLimit, true)]
    [InlineData(OverBuffer, true)]
    [InlineData(BodySpool.MemoryLimit, true)]
    [InlineData(BodySpool.MemoryLimit + 1, true)]
    [InlineData(5_000_000, true)]
    public async Task A_body_arrives_whole_whatever_its_size(int size, bool chunked)
    {
        var body = Bytes(size);
        var caller = new FakeCaller(async call => await call.ReplyAsync([Encoding.ASCII.GetBytes((await ReadAsync(call)).SequenceEqual(body) ? "equal" : "different")]));
        await using var gateway = await caller.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/call") { Content = new ByteArrayContent(body) };
        request.Headers.TransferEncodingChunked = chunked;
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal("equal", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_body_in_the_middle_of_the_template_is_sent_whole()
    {
        var body = Bytes(3_000_000);
        var caller = new FakeCaller(call => call.ReplyAsync(call.StreamedLength < 0 && call.Frames[0].SequenceEqual(body) && call.Frames[1].Length == 3 ? "equal" : "different"));
        await using var gateway = await caller.StartAsync("Request:0={body}", "Request:1=end");
        using var response = await gateway.Client.PostAsync("/call", new ByteArrayContent(body));
        Assert.Equal("equal", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_over_the_limit_is_too_large(bool chunked)
    {
        await using var gateway = await FakeCaller.Replying("x").StartAsync("MaxBodySize=1000");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/call") { Content = new ByteArrayContent(new byte[1001]) };
        request.Headers.TransferEncodingChunked = chunked;
        using var response = await gateway.Client.SendAsync(request);
        await CallReplyTests.AssertProblemAsync(response, HttpStatusCode.RequestEntityTooLarge, "request-too-large");
    }

    [Fact]
    public async Task A_body_at_the_limit_is_taken()
    {
        await using var gateway = await FakeCaller.Replying("x").StartAsync("MaxBodySize=1000");
        using var response = await gateway.Client.PostAsync("/call", new ByteArrayContent(new byte[1000]));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_chunked_body_over_the_spool_limit_needs_its_length()
    {
        await using var gateway = await FakeCaller.Replying("x").StartAsync("SpoolLimit=100000");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/call") { Content = new ByteArrayContent(new byte[100_001]) };
        request.Headers.TransferEncodingChunked = true;
        using var response = await gateway.Client.SendAsync(request);
        await CallReplyTests.AssertProblemAsync(response, HttpStatusCode.LengthRequired, "length-required");
    }

    [Fact]
    public async Task A_body_that_cannot_stream_is_held_to_the_spool_limit()
    {
        await using var gateway = await FakeCaller.Replying("x").StartAsync("SpoolLimit=100000", "Request:0={body}", "Request:1=end");
        using var response = await gateway.Client.PostAsync("/call", new ByteArrayContent(new byte[100_001]));
        await CallReplyTests.AssertProblemAsync(response, HttpStatusCode.RequestEntityTooLarge, "request-too-large");
    }

    [Fact]
    public async Task A_large_body_is_streamed_while_it_arrives()
    {
        var began = new TaskCompletionSource<long>();
        var caller = new FakeCaller(async call =>
        {
            began.SetResult(call.StreamedLength);
            await call.ReplyAsync([Encoding.ASCII.GetBytes((await ReadAsync(call)).Length.ToString())]);
        });
        await using var gateway = await caller.StartAsync();
        using var client = new RawHttpClient(gateway.BaseAddress);
        await client.SendAsync($"POST /call HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {OverBuffer * 4}\r\n\r\n");
        await client.SendAsync(new byte[OverBuffer]);
        Assert.Equal(OverBuffer * 4, await began.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        await client.SendAsync(new byte[OverBuffer * 3]);
        Assert.EndsWith($"\r\n\r\n{OverBuffer * 4}", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_connection_serves_the_next_request_after_a_refused_body()
    {
        await using var gateway = await FakeCaller.Replying("x").StartAsync("MaxBodySize=10");
        using var client = new RawHttpClient(gateway.BaseAddress);
        await client.SendAsync("POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n01234567890");
        Assert.Contains("413", await client.ReadUntilAsync("\"code\":\"request-too-large\"}"), StringComparison.Ordinal);
        await client.SendAsync("POST /call HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\n0");
        Assert.EndsWith("\r\n\r\nx", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_in_a_row_on_one_connection_do_not_mix()
    {
        var caller = new FakeCaller(call => call.ReplyAsync([.. call.Frames]));
        await using var gateway = await caller.StartAsync();
        using var client = new RawHttpClient(gateway.BaseAddress);
        var requests = new StringBuilder();
        for (var i = 0; i < 100; i++) requests.Append($"POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n<{i:000}>");
        await client.SendAsync(requests + "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        var responses = await client.ReadToEndAsync();
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"<{i:000}>"), System.Text.RegularExpressions.Regex.Matches(responses, "<[0-9]{3}>").Select(match => match.Value));
    }

    [Theory]
    [InlineData("GET", false, true)]
    [InlineData("PUT", false, true)]
    [InlineData("DELETE", false, true)]
    [InlineData("POST", false, false)]
    [InlineData("PATCH", false, false)]
    [InlineData("POST", true, true)]
    public async Task Only_what_does_no_harm_twice_is_repeatable(string method, bool allowed, bool repeatable)
    {
        var caller = new FakeCaller(call => call.ReplyAsync(call.Repeatable.ToString()));
        await using var gateway = await caller.StartWithAsync([$"Gateway:Backends:service:Retry:Unsafe={allowed}"], $"Methods:0={method}", "Request:0=x");
        using var response = await gateway.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), "/call"));
        Assert.Equal(repeatable.ToString(), await response.Content.ReadAsStringAsync());
    }

    private static byte[] Bytes(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }

    private static async Task<byte[]> ReadAsync(FakeCaller.Exchange call)
    {
        if (call.StreamedLength < 0) return call.Frames[^1];
        var bytes = new MemoryStream();
        while (bytes.Length < call.StreamedLength)
        {
            var result = await call.StreamedBody.ReadAsync();
            foreach (var segment in result.Buffer) bytes.Write(segment.Span);
            call.StreamedBody.AdvanceTo(result.Buffer.End);
        }

        return bytes.ToArray();
    }
}
