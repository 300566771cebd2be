using System.Text;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Faults.Smuggling;

/// <summary>
/// Requests that two servers in a row could cut differently (RFC 9112, section 11.2). Each is followed by a second request: whoever takes
/// the first one for shorter than it is runs what a stranger hid in its body. All are refused with 400, and the connection is closed.
/// </summary>
public sealed class SmugglingTests
{
    private const string Next = "GET /hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    private const string Head = "POST /call HTTP/1.1\r\nHost: x\r\n";
    private const string Chunked = "Transfer-Encoding: chunked\r\n";
    private const string Body = "\r\n2\r\nhi\r\n0\r\n\r\n";

    /// <summary>Name, and the bytes of the request.</summary>
    public static TheoryData<string, string> Refused() => new()
    {
        { "CL before TE", $"{Head}Content-Length: 2\r\n{Chunked}{Body}" },
        { "TE before CL", $"{Head}{Chunked}Content-Length: 12\r\n{Body}" },
        { "TE beside CL of 0", $"{Head}Content-Length: 0\r\n{Chunked}{Body}" },
        { "two CL that differ", $"{Head}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi" },
        { "two CL that are the same", $"{Head}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi" },
        { "CL as a list", $"{Head}Content-Length: 2, 2\r\n\r\nhi" },
        { "CL with a plus", $"{Head}Content-Length: +2\r\n\r\nhi" },
        { "CL below 0", $"{Head}Content-Length: -2\r\n\r\nhi" },
        { "CL with a space inside", $"{Head}Content-Length: 1 2\r\n\r\nhihihihihihi" },
        { "CL in hexadecimal", $"{Head}Content-Length: 0x2\r\n\r\nhi" },
        { "CL with a comma", $"{Head}Content-Length: 2,\r\n\r\nhi" },
        { "CL with a fraction", $"{Head}Content-Length: 2.0\r\n\r\nhi" },
        { "CL with an exponent", $"{Head}Content-Length: 2e0\r\n\r\nhi" },
        { "CL of nothing", $"{Head}Content-Length: \r\n\r\nhi" },
        { "CL above 2^63", $"{Head}Content-Length: 9223372036854775810\r\n\r\nhi" },
        { "CL of 2^64 + 2", $"{Head}Content-Length: 18446744073709551618\r\n\r\nhi" },
        { "CL of 40 digits", $"{Head}Content-Length: {new string('0', 39)}2\r\n\r\nhi" },
        { "TE gzip, chunked", $"{Head}Transfer-Encoding: gzip, chunked\r\n{Body}" },
        { "TE chunked, gzip", $"{Head}Transfer-Encoding: chunked, gzip\r\n{Body}" },
        { "TE chunked twice in a list", $"{Head}Transfer-Encoding: chunked, chunked\r\n{Body}" },
        { "TE chunked twice in two lines", $"{Head}{Chunked}{Chunked}{Body}" },
        { "TE identity, then chunked", $"{Head}Transfer-Encoding: identity\r\n{Chunked}{Body}" },
        { "TE identity", $"{Head}Transfer-Encoding: identity\r\n\r\n" },
        { "TE xchunked", $"{Head}Transfer-Encoding: xchunked\r\n{Body}" },
        { "TE with a comma in front", $"{Head}Transfer-Encoding: ,chunked\r\n{Body}" },
        { "TE with a comma behind", $"{Head}Transfer-Encoding: chunked,\r\n{Body}" },
        { "TE with a parameter", $"{Head}Transfer-Encoding: chunked;q=1\r\n{Body}" },
        { "TE in quotes", $"{Head}Transfer-Encoding: \"chunked\"\r\n{Body}" },
        { "TE with a vertical tab", $"{Head}Transfer-Encoding: \vchunked\r\n{Body}" },
        { "TE of nothing", $"{Head}Transfer-Encoding: \r\n\r\n" },
        { "TE with a space before its colon", $"{Head}Transfer-Encoding : chunked\r\n{Body}" },
        { "CL with a space before its colon", $"{Head}Content-Length : 2\r\n\r\nhi" },
        { "TE in HTTP/1.0", $"POST /call HTTP/1.0\r\nHost: x\r\n{Chunked}{Body}" },
        { "TE folded into the line before", $"{Head}X: y\r\n Transfer-Encoding: chunked\r\n{Body}" },
        { "TE folded", $"{Head}Transfer-Encoding:\r\n chunked\r\n{Body}" },
        { "the first field indented", "POST /call HTTP/1.1\r\n Host: x\r\nContent-Length: 2\r\n\r\nhi" },
        { "LF behind the request line", $"POST /call HTTP/1.1\nHost: x\r\nContent-Length: 2\r\n\r\nhi" },
        { "LF behind a field", "POST /call HTTP/1.1\r\nHost: x\nContent-Length: 2\r\n\r\nhi" },
        { "LF behind the last field", $"{Head}Content-Length: 2\n\r\nhi" },
        { "LF for the empty line", $"{Head}Content-Length: 2\r\n\nhi" },
        { "LF everywhere", "POST /call HTTP/1.1\nHost: x\nContent-Length: 2\n\nhi" },
        { "CR inside a value", $"{Head}X: a\rTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nhi" },
        { "CR in front of a name", $"{Head}\rContent-Length: 2\r\n\r\nhi" },
        { "NUL inside a value", $"{Head}X: a\0b\r\nContent-Length: 2\r\n\r\nhi" },
        { "NUL inside a name", $"{Head}Content-\0Length: 2\r\nContent-Length: 2\r\n\r\nhi" },
        { "a field without a colon", $"{Head}Content-Length 2\r\n\r\nhi" },
        { "a chunk of 0x2", $"{Head}{Chunked}\r\n0x2\r\nhi\r\n0\r\n\r\n" },
        { "a chunk of +2", $"{Head}{Chunked}\r\n+2\r\nhi\r\n0\r\n\r\n" },
        { "a chunk of -2", $"{Head}{Chunked}\r\n-2\r\nhi\r\n0\r\n\r\n" },
        { "a chunk with a space in front", $"{Head}{Chunked}\r\n 2\r\nhi\r\n0\r\n\r\n" },
        { "a chunk of nothing", $"{Head}{Chunked}\r\n\r\nhi\r\n0\r\n\r\n" },
        { "a chunk of a word", $"{Head}{Chunked}\r\nxy\r\nhi\r\n0\r\n\r\n" },
        { "a chunk of 2^64 + 2", $"{Head}{Chunked}\r\n10000000000000002\r\nhi\r\n0\r\n\r\n" },
        { "a chunk above 2^31", $"{Head}{Chunked}\r\nffffffff\r\nhi\r\n0\r\n\r\n" },
        { "LF behind a chunk's size", $"{Head}{Chunked}\r\n2\nhi\r\n0\r\n\r\n" },
        { "LF inside a chunk's extension", $"{Head}{Chunked}\r\n2;\nxx\r\nhi\r\n0\r\n\r\n" },
        { "LF at the end of a chunk's extension", $"{Head}{Chunked}\r\n2;x\nhi\r\n0\r\n\r\n" },
        { "CR inside a chunk's extension", $"{Head}{Chunked}\r\n2;a\rb\r\nhi\r\n0\r\n\r\n" },
        { "LF behind a chunk's bytes", $"{Head}{Chunked}\r\n2\r\nhi\n0\r\n\r\n" },
        { "a chunk longer than its size", $"{Head}{Chunked}\r\n2\r\nhih\r\n0\r\n\r\n" },
        { "LF behind the last chunk", $"{Head}{Chunked}\r\n2\r\nhi\r\n0\n\r\n" },
        { "LF behind a trailer", $"{Head}{Chunked}\r\n2\r\nhi\r\n0\r\nX: y\n\r\n" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_can_be_cut_in_two_ways_is_refused_and_the_connection_closed(string name, string request)
    {
        var log = new ListLoggerProvider();
        await using var gateway = await StartAsync(log);
        using var client = new RawHttpClient(gateway.BaseAddress);
        await client.SendAsync(Encoding.Latin1.GetBytes(request + Next));
        var answers = await client.ReadToEndAsync();
        Assert.True(answers.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal), $"{name} was answered by: {answers}");
        Assert.Equal(1, Count(answers, "HTTP/1.1 "));
        Assert.DoesNotContain(log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal)
            || line.StartsWith("Critical", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Content-Length", $"{Head}Content-Length: 2\r\n\r\nhi")]
    [InlineData("Content-Length with zeros in front and white space around", $"{Head}Content-Length: \t 002 \r\n\r\nhi")]
    [InlineData("chunked", $"{Head}{Chunked}{Body}")]
    [InlineData("Chunked in capitals", $"{Head}TRANSFER-ENCODING: CHUNKED\r\n{Body}")]
    [InlineData("a chunk with zeros, capitals and an extension", $"{Head}{Chunked}\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n")]
    [InlineData("a trailer", $"{Head}{Chunked}\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n")]
    [InlineData("no body", $"{Head}Content-Length: 0\r\n\r\n")]
    public async Task What_can_be_cut_in_one_way_is_answered_and_so_is_what_follows(string name, string request)
    {
        await using var gateway = await StartAsync(new ListLoggerProvider());
        using var client = new RawHttpClient(gateway.BaseAddress);
        await client.SendAsync(request + "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        var answers = await client.ReadToEndAsync();
        Assert.True(answers.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal), $"{name} was answered by: {answers}");
        Assert.EndsWith("""{"status":"live"}""", answers, StringComparison.Ordinal);
        Assert.Equal(2, Count(answers, "HTTP/1.1 200 "));
    }

    [Fact]
    public async Task What_takes_the_place_of_a_length_set_aside_is_not_served()
    {
        await using var gateway = await StartAsync(new ListLoggerProvider());
        using var client = new RawHttpClient(gateway.BaseAddress);
        await client.SendAsync($"{Head}X-Content-Length: 5\r\nContent-Length: 2\r\n{Chunked}{Body}{Next}");
        // The server closes without a word.
        Assert.Empty(await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_client_that_resets_inside_its_body_is_one_line_and_no_error()
    {
        var log = new ListLoggerProvider();
        await using var gateway = await StartAsync(log);
        string[] requests = [$"{Head}Content-Length: 20\r\n\r\nhi", $"{Head}Content-Length: 2000000\r\n\r\nhi",
            $"{Head}{Chunked}\r\n2\r\nhi\r\n"];
        for (var at = 0; at < requests.Length; at++)
        {
            using var client = new RawHttpClient(gateway.BaseAddress);
            // The server has taken up what expects to be asked for its body once it asks.
            await client.SendAsync(requests[at].Replace("Host: x\r\n", "Host: x\r\nExpect: 100-continue\r\n", StringComparison.Ordinal));
            Assert.StartsWith("HTTP/1.1 100 ", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
            client.Reset();
            await log.LineAsync("went away", at + 1);
        }

        Assert.Equal(3, log.Lines.Count(line => line.Contains("went away", StringComparison.Ordinal)));
        Assert.DoesNotContain(log.Lines, line => line.Contains("\n   at ", StringComparison.Ordinal)
            && line.Contains("Gateway", StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal)
            || line.StartsWith("Warning", StringComparison.Ordinal));
    }

    private static Task<GatewayHost> StartAsync(ListLoggerProvider log) => GatewayHost.StartAsync(
        services =>
        {
            log.Register(services);
            services.AddSingleton<Gateway.Backends.IBackendRegistry>(FakeCaller.Replying("pong"));
        },
        "Gateway:Backends:service:Socket=REQ", "Gateway:Backends:service:Connect:0=tcp://127.0.0.1:5555", "Gateway:Routes:call:Path=/call",
            "Gateway:Routes:call:Backend=service");

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
