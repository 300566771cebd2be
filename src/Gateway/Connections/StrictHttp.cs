using System.Text;
using Gateway.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Net.Http.Headers;

namespace Gateway.Connections;

/// <summary>
/// Refuses requests that a proxy in front may cut in another way than Kestrel does (RFC 9112, sections 6.3 and 11.2): whoever hides a
/// request in the body of another gets past what the proxy forbids. Kestrel refuses most of them itself; these are the ones that it takes.
/// </summary>
/// <remarks>
/// Costs a look at one header per request: the parser does the rest, on bytes that it looks at anyway, below TLS as well.
/// </remarks>
internal static class StrictHttp
{
    // Where Kestrel puts the Content-Length that stood beside a Transfer-Encoding.
    private const string SetAside = "X-Content-Length";
    private static readonly Encoding DigitsOnly = new DigitsOnlyEncoding();

    /// <summary>Tells the server: lines end in CR LF, and a length has digits only.</summary>
    public static void UseStrictHttp(this KestrelServerOptions kestrel)
    {
        // The parser takes a line that ends in a bare LF unless this says otherwise; it is read when a connection begins.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", isEnabled: true);
        // Content-Length: +2 is a number to the server's parser of numbers. The one place to look at the text before is how it is decoded.
        kestrel.RequestHeaderEncodingSelector = static name => name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase)
            ? DigitsOnly : null;
    }

    /// <summary>Answers 400 to what has no single meaning and closes the connection; everything else goes on.</summary>
    public static IApplicationBuilder UseStrictHttp(this IApplicationBuilder app) =>
        app.Use(static next => context => WhyRefused(context.Request) is { } why ? RefuseAsync(context, why) : next(context));

    private static string? WhyRefused(HttpRequest request)
    {
        var codings = request.Headers.TransferEncoding;
        if (codings.Count == 0) return null;
        if (codings.Count != 1
            || !"chunked".Equals(codings[0],
            StringComparison.OrdinalIgnoreCase)) return "Transfer-Encoding is something else than chunked.";
        if (request.ContentLength is not null
            || request.Headers.ContainsKey(SetAside)) return "Content-Length stands beside Transfer-Encoding.";
        return HttpProtocol.IsHttp10(request.Protocol) ? "Transfer-Encoding stands in a request of HTTP/1.0, which has none." : null;
    }

    private static Task RefuseAsync(HttpContext context, string why)
    {
        context.Response.Headers.Connection = "close";
        return Problems.WriteAsync(context, StatusCodes.Status400BadRequest, ProblemCode.BadRequest, why);
    }

    /// <summary>Decodes 1 to 19 digits; anything else becomes a text that is no number.</summary>
    private sealed class DigitsOnlyEncoding : Encoding
    {
        private const int MaxDigits = 19;

        public override int GetByteCount(char[] chars, int index, int count) => count;

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
            ASCII.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

        public override int GetCharCount(byte[] bytes, int index, int count) => Accepts(bytes.AsSpan(index, count)) ? count : 1;

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
            GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

        public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
        {
            if (Accepts(bytes)) return ASCII.GetChars(bytes, chars);
            chars[0] = '?';
            return 1;
        }

        public override int GetMaxByteCount(int charCount) => charCount;

        public override int GetMaxCharCount(int byteCount) => Math.Max(byteCount, 1);

        private static bool Accepts(ReadOnlySpan<byte> bytes) => bytes.Length is >= 1 and <= MaxDigits
            && !bytes.ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }
}
