using System.Buffers;
using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace Gateway.Routing;

/// <summary>Writes RFC 9457 problem documents. docs/errors.md lists the codes.</summary>
internal static class Problems
{
    /// <summary>Media type of problem documents.</summary>
    public const string MediaType = "application/problem+json";
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers with a problem. A response that has begun cannot become one: its connection is aborted, so that nobody takes it for complete.</summary>
    /// <param name="status">HTTP status, 4xx or 5xx.</param>
    /// <param name="code">Stable code such as <c>backend-timeout</c>.</param>
    /// <param name="detail">What happened and, where known, what to do.</param>
    public static Task WriteAsync(HttpContext context, int status, string code, string detail)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }

        var (allow, connection) = (response.Headers.Allow, response.Headers.Connection);
        response.Clear();
        (response.Headers.Allow, response.Headers.Connection) = (allow, connection);
        response.StatusCode = status;
        response.ContentType = MediaType;
        response.Headers[HeaderNames.CacheControl] = "no-store";
        var body = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(body, Readable))
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, TypeOf(code));
            writer.WriteString("title"u8, TitleOf(code));
            writer.WriteNumber("status"u8, status);
            writer.WriteString("detail"u8, detail);
            writer.WriteString("traceId"u8, TraceIdOf(context));
            writer.WriteString("code"u8, code);
            writer.WriteEndObject();
        }

        response.ContentLength = body.WrittenCount;
        if (!HttpMethods.IsHead(context.Request.Method)) response.BodyWriter.Write(body.WrittenSpan);
        return response.CompleteAsync();
    }

    /// <summary>The URN that names the kind of problem.</summary>
    public static string TypeOf(string code) => $"urn:gateway:problem:{code}";

    /// <summary>The kind of problem in words: the code with spaces, beginning with a capital letter.</summary>
    public static string TitleOf(string code) => string.Concat(char.ToUpperInvariant(code[0]).ToString(), code[1..].Replace('-', ' '));

    /// <summary>The trace of the caller if it sent one, else the request's number in the log.</summary>
    private static string TraceIdOf(HttpContext context)
    {
        if (Activity.Current is { } activity) return activity.TraceId.ToHexString();
        return ActivityContext.TryParse(context.Request.Headers.TraceParent, traceState: null, out var parent)
            ? parent.TraceId.ToHexString()
            : context.TraceIdentifier;
    }
}
