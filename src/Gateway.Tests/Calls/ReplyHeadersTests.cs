using System.Text;
using Gateway.Calls;

namespace Gateway.Tests.Calls;

public class ReplyHeadersTests
{
    [Theory]
    [InlineData("a\r\nInjected: yes")]
    [InlineData("a\nb")]
    [InlineData("a\rb")]
    [InlineData("a\0b")]
    [InlineData("a\u001bb")]
    [InlineData("a\u007fb")]
    [InlineData("é")]
    public void Refuses_a_value_that_is_not_visible_ASCII(string value)
    {
        Assert.False(ReplyHeaders.TryReadValue(Encoding.UTF8.GetBytes(value), out _));
        Assert.NotNull(Read($$$"""{"headers":{"X":{{{System.Text.Json.JsonSerializer.Serialize(value)}}}}}""").Wrong);
    }

    [Fact]
    public void Trims_what_surrounds_a_value()
    {
        Assert.True(ReplyHeaders.TryReadValue(" \ta b\t "u8, out var value));
        Assert.Equal("a b", value);
    }

    [Theory]
    [InlineData("X\\r\\nY")]
    [InlineData("X Y")]
    [InlineData("X:")]
    [InlineData("")]
    [InlineData("é")]
    [InlineData(":status")]
    public void Refuses_a_name_that_is_no_token(string name) => Assert.NotNull(Read($$$"""{"headers":{"{{{name}}}":"v"}}""").Wrong);

    [Theory]
    [InlineData("Connection")]
    [InlineData("keep-alive")]
    [InlineData("Transfer-Encoding")]
    [InlineData("Content-Length")]
    [InlineData("Upgrade")]
    [InlineData("TE")]
    [InlineData("Trailer")]
    [InlineData("Proxy-Authenticate")]
    [InlineData("Date")]
    [InlineData("Server")]
    [InlineData("Set-Cookie")]
    [InlineData("Access-Control-Allow-Origin")]
    public void Strips_and_counts_what_no_backend_may_set(string name)
    {
        var head = Read($$$"""{"headers":{"{{{name}}}":"v","X-Kept":"v"}}""");
        Assert.Null(head.Wrong);
        Assert.Equal(1, head.Stripped);
        Assert.Equal(["X-Kept"], head.Fields.Select(field => field.Key));
    }

    [Fact]
    public void Reads_status_and_lists()
    {
        var head = Read("""{"status":404,"headers":{"Cache-Control":"no-store","Link":["<a>","<b>"]},"other":1}""");
        Assert.Equal((null, 404), (head.Wrong, head.Status));
        Assert.Equal(["Cache-Control=no-store", "Link=<a>", "Link=<b>"], head.Fields.Select(field => $"{field.Key}={field.Value}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("{}{}")]
    [InlineData("""{"status":"200"}""")]
    [InlineData("""{"status":100}""")]
    [InlineData("""{"status":600}""")]
    [InlineData("""{"status":200.5}""")]
    [InlineData("""{"headers":[]}""")]
    [InlineData("""{"headers":{"X":1}}""")]
    [InlineData("""{"headers":{"X":{"a":"b"}}}""")]
    [InlineData("""{"headers":{"X":[["a"]]}}""")]
    [InlineData("""{"headers":{"X":"\ud800"}}""")]
    [InlineData("""{"headers":{"\ud800":"x"}}""")]
    public void Refuses_a_head_of_another_shape(string head) => Assert.NotNull(Read(head).Wrong);

    [Fact]
    public void Refuses_a_thousand_headers() =>
        Assert.NotNull(Read($$$"""{"headers":{ {{{string.Join(',', Enumerable.Range(0, 1000).Select(i => $"\"X-{i}\":\"v\""))}}} }""").Wrong);

    [Fact]
    public void Counts_stripped_headers_against_the_limit() =>
        Assert.NotNull(Read($$$"""{"headers":{"Set-Cookie":[{{{string.Join(',', Enumerable.Repeat("\"v\"", 1000))}}}]}}""").Wrong);

    private static (string? Wrong, int Status, int Stripped, List<KeyValuePair<string, string>> Fields) Read(string head)
    {
        var fields = new List<KeyValuePair<string, string>>();
        var wrong = ReplyHeaders.ReadHead(Encoding.UTF8.GetBytes(head), fields, out var status, out var stripped);
        return (wrong, status, stripped, fields);
    }
}
