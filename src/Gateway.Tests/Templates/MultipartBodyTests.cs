using System.Text;
using Gateway.Backends;
using Gateway.Templates;
using Gateway.Tests.TestSupport;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Templates;

public class MultipartBodyTests
{
    private const string TwoParts = "--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b\r\n\r\n\r\n--b--\r\n";

    [Theory]
    [InlineData("multipart/mixed; boundary=b")]
    [InlineData("multipart/form-data; boundary=\"b\"")]
    public async Task Sends_a_frame_per_part(string contentType)
    {
        using var body = await ReadAsync(contentType, TwoParts);
        var (frames, writer) = (new RequestFrames(), new RecordingFrameWriter());
        RequestTemplate.Parse(["head", "{parts}"], null, out _)!.Render(new DefaultHttpContext(), default, bodyFollows: false, body, frames);
        frames.WriteTo(writer);
        Assert.Equal(["head", "one", ""], writer.Frames.Select(Encoding.UTF8.GetString));
    }

    [Theory]
    [InlineData(415, "unsupported-media-type", "application/json", TwoParts)]
    [InlineData(415, "unsupported-media-type", "multipart/mixed", TwoParts)]
    [InlineData(415, "unsupported-media-type", null, TwoParts)]
    [InlineData(400, "bad-multipart", "multipart/mixed; boundary=b", "")]
    [InlineData(400, "bad-multipart", "multipart/mixed; boundary=b", "--b--\r\n")]
    [InlineData(400, "bad-multipart", "multipart/mixed; boundary=b", "--b\r\n\r\nhalf a part")]
    [InlineData(400, "bad-multipart", "multipart/mixed; boundary=b", "--b\r\nno header\r\n\r\none\r\n--b--\r\n")]
    public async Task Refuses_what_is_no_multipart_body(int status, string code, string? contentType, string text)
    {
        var thrown = await Assert.ThrowsAsync<BackendException>(() => ReadAsync(contentType, text));
        Assert.Equal((status, code), (thrown.Status, thrown.Code));
    }

    [Fact]
    public async Task Refuses_more_bytes_than_allowed()
    {
        var thrown = await Assert.ThrowsAsync<BackendException>(() => ReadAsync("multipart/mixed; boundary=b", TwoParts, maxBytes: 2));
        Assert.Equal((413, "request-too-large"), (thrown.Status, thrown.Code));
    }

    [Fact]
    public async Task Refuses_more_than_a_thousand_parts()
    {
        var text = string.Concat(Enumerable.Repeat("--b\r\n\r\nx\r\n", 1001)) + "--b--\r\n";
        var thrown = await Assert.ThrowsAsync<BackendException>(() => ReadAsync("multipart/mixed; boundary=b", text));
        Assert.Equal((413, "request-too-large"), (thrown.Status, thrown.Code));
    }

    private static Task<MultipartBody> ReadAsync(string? contentType, string text, long maxBytes = 1_000_000)
    {
        var context = new DefaultHttpContext();
        context.Request.ContentType = contentType;
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return MultipartBody.ReadAsync(context.Request, maxBytes, CancellationToken.None);
    }
}
