using System.Buffers;
using System.Security.Claims;
using System.Text;
using System.Text.Json;
using Gateway.Backends;
using Gateway.Templates;
using Gateway.Tests.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Templates;

public class RequestTemplateTests
{
    [Fact]
    public void No_template_means_the_body_as_the_only_frame()
    {
        Assert.True(RequestTemplate.Body.IsBodyAlone);
        Assert.Equal(["hello"], Render([], Request(), "hello"));
    }

    [Theory]
    [InlineData("price", "price")]
    [InlineData("", "")]
    [InlineData("{route:symbol}", "EUR/USD")]
    [InlineData("{route:SYMBOL}", "EUR/USD")]
    [InlineData("{query:n}", "42")]
    [InlineData("{query:absent}", "")]
    [InlineData("{header:X-Tag}", "blue")]
    [InlineData("{header:x-absent}", "")]
    [InlineData("{method} {path}", "GET /api/a%0Ab")]
    [InlineData("{user}", "ada")]
    [InlineData("{traceparent}", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    [InlineData("<{body}>", "<hello>")]
    [InlineData("{{{query:n}}}", "{42}")]
    [InlineData("{{\"n\":{query:n|json}}}", "{\"n\":\"42\"}")]
    public void Fills_a_frame_from_the_request(string line, string expected) => Assert.Equal([expected], Render([line], Request(), "hello"));

    [Fact]
    public void Sends_the_frames_in_the_order_of_the_template() =>
        Assert.Equal(["price", "EUR/USD", "", "hello"], Render(["price", "{route:symbol}", "", "{body}"], Request(), "hello"));

    [Fact]
    public void Writes_the_same_frames_again_for_another_attempt()
    {
        var frames = new RequestFrames();
        Parse(["a", "{query:n}", "{body}"]).Render(Request(), Sequence("hello"), bodyFollows: false, parts: null, frames);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var writer = new RecordingFrameWriter();
            frames.WriteTo(writer);
            Assert.Equal(["a", "42", "hello"], writer.Frames.Select(Encoding.UTF8.GetString));
            Assert.False(writer.More);
        }
    }

    [Fact]
    public void Leaves_a_streamed_body_out_and_says_that_it_follows()
    {
        var (frames, writer) = (new RequestFrames(), new RecordingFrameWriter());
        Parse(["put", "{body}"]).Render(Request(), default, bodyFollows: true, parts: null, frames);
        frames.WriteTo(writer, moreFollow: true);
        Assert.Equal(["put"], writer.Frames.Select(Encoding.UTF8.GetString));
        Assert.True(writer.More);
    }

    [Fact]
    public void Types_a_value()
    {
        var (frames, writer) = (new RequestFrames(), new RecordingFrameWriter());
        Parse(["{query:n|u32le}", "x{query:n|u16be}y", "{body|base64}"]).Render(Request(), Sequence("AQID"), bodyFollows: false, parts: null, frames);
        frames.WriteTo(writer);
        Assert.Equal(["2a000000", "78002a79", "010203"], writer.Frames.Select(Convert.ToHexStringLower));
    }

    [Theory]
    [InlineData("{header:x-tag|u8}", "{header:x-tag|u8} is \"blue\"; allowed: a whole number from 0 to 255.")]
    [InlineData("{query:absent|f32le}", "{query:absent|f32le} is \"\"; allowed: a decimal number such as -1.5e3, up to 3.4028235E+38.")]
    [InlineData("{body|hex}", "{body|hex} is \"hello\"; allowed: an even number of hexadecimal digits.")]
    public void Names_the_placeholder_the_value_and_what_is_allowed(string line, string detail)
    {
        var thrown = Assert.Throws<BackendException>(() => Render([line], Request(), "hello"));
        Assert.Equal((400, "bad-request-value", detail), (thrown.Status, thrown.Code, thrown.Message));
    }

    [Fact]
    public void Shows_only_the_start_of_a_long_value()
    {
        var thrown = Assert.Throws<BackendException>(() => Render(["{body|u8}"], Request(), new string('9', 10_000)));
        Assert.True(thrown.Message.Length < 200);
    }

    [Fact]
    public void The_head_is_a_JSON_object_without_credentials()
    {
        var request = Request();
        request.Request.Headers.Authorization = "Bearer secret";
        request.Request.Headers.Cookie = "session=secret";
        using var head = JsonDocument.Parse(Render(["{head}"], request, "")[0]);
        Assert.Equal(
            """{"method":"GET","path":"/api/a%0Ab","route":{"symbol":"EUR/USD"},"query":{"n":"42","m":["1","2"]},"headers":{"x-tag":"blue","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},"user":"ada"}""",
            head.RootElement.GetRawText());
    }

    [Theory]
    [InlineData("{rout:x}", "{body}, {parts}, {route:name}, ")]
    [InlineData("{query}", "{body}, {parts}, {route:name}, ")]
    [InlineData("{query:}", "{body}, {parts}, {route:name}, ")]
    [InlineData("{body:x}", "{body}, {parts}, {route:name}, ")]
    [InlineData("{query:n|u24}", "{body}, {parts}, {route:name}, ")]
    [InlineData("{parts|hex}", "{body}, {parts}, {route:name}, ")]
    [InlineData("a{parts}", "{parts} alone in its frame")]
    [InlineData("{body", "text with {placeholders}; {{ and }} stand for braces")]
    [InlineData("{route:ticker}", "{route:name} with one of symbol")]
    public void Says_what_is_allowed_where_a_line_is_wrong(string line, string allowed)
    {
        Assert.Null(RequestTemplate.Parse(["ok", line], ["symbol"], out var problems));
        var problem = Assert.Single(problems);
        Assert.Equal((1, line), (problem.Index, problem.Value));
        Assert.StartsWith(allowed, problem.Allowed, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_every_wrong_line()
    {
        Assert.Null(RequestTemplate.Parse(["{x}", "ok", "{y}"], [], out var problems));
        Assert.Equal([0, 2], problems.Select(problem => problem.Index));
    }

    [Theory]
    [InlineData("{parts}", "{body}")]
    [InlineData("{parts}", "{parts}")]
    public void Reads_the_body_as_parts_or_as_bytes_but_not_both(string first, string second) =>
        Assert.Null(RequestTemplate.Parse([first, second], null, out _));

    [Theory]
    [InlineData(true, "put", "{body}")]
    [InlineData(false, "{body}", "put")]
    [InlineData(false, "{body}", "{body}")]
    [InlineData(false, "put", "{body|base64}")]
    [InlineData(false, "put", "x{body}")]
    public void Streams_only_a_body_that_is_the_last_frame_as_it_is(bool streams, params string[] lines) =>
        Assert.Equal(streams, Parse(lines).StreamsBody);

    private static RequestTemplate Parse(string[] lines) => RequestTemplate.Parse(lines, null, out _)!;

    private static List<string> Render(string[] lines, HttpContext context, string body)
    {
        var (frames, writer) = (new RequestFrames(), new RecordingFrameWriter());
        Parse(lines).Render(context, Sequence(body), bodyFollows: false, parts: null, frames);
        frames.WriteTo(writer);
        return [.. writer.Frames.Select(Encoding.UTF8.GetString)];
    }

    private static ReadOnlySequence<byte> Sequence(string text) => new(Encoding.UTF8.GetBytes(text));

    private static DefaultHttpContext Request()
    {
        var context = new DefaultHttpContext { User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "ada")], "test")) };
        context.Request.Method = "GET";
        context.Request.Path = "/api/a\nb";
        context.Request.QueryString = new QueryString("?n=42&m=1&m=2");
        context.Request.RouteValues["symbol"] = "EUR/USD";
        context.Request.Headers["X-Tag"] = "blue";
        context.Request.Headers.TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        return context;
    }
}
