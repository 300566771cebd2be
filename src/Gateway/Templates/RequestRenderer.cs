using System.Buffers;
using System.Diagnostics;
using System.Text;
using Gateway.Backends;

namespace Gateway.Templates;

/// <summary>Fills a request template from a web request.</summary>
internal static class RequestRenderer
{
    private const int ShownValueLength = 64;

    /// <summary>Adds the template's frames to <paramref name="frames"/>.</summary>
    /// <param name="body">The whole body; empty when it is streamed or not used.</param>
    /// <param name="bodyFollows">Whether the last frame, which is the body, is streamed later and so left out.</param>
    /// <param name="parts">Parts of a multipart body; null when the template has none.</param>
    /// <exception cref="BackendException">400 <c>bad-request-value</c>: a value has not the type that its placeholder names.</exception>
    public static void Render(
        this RequestTemplate template, HttpContext context, in ReadOnlySequence<byte> body, bool bodyFollows, MultipartBody? parts, RequestFrames frames)
    {
        for (var i = 0; i < template.Frames.Count; i++)
        {
            var frame = template.Frames[i];
            if (frame.Literal is { } literal) frames.AddLiteral(literal);
            else if (frame.IsParts) parts!.AddTo(frames);
            else if (!frame.IsBody) RenderMixed(frame, context, body, frames);
            else if (!bodyFollows) frames.AddBody(body);
        }
    }

    private static void RenderMixed(FrameTemplate frame, HttpContext context, in ReadOnlySequence<byte> body, RequestFrames frames)
    {
        var start = frames.Buffer.Length;
        foreach (var piece in frame.Pieces)
        {
            if (piece.Placeholder is not { } placeholder) frames.Buffer.Write(piece.Literal);
            else if (placeholder.Source == PlaceholderSource.Body) WriteBody(placeholder, body, frames.Buffer);
            else if (placeholder.Source == PlaceholderSource.Head) WriteHead(placeholder, context, frames.Buffer);
            else WriteText(placeholder, Text(placeholder, context), frames.Buffer);
        }

        frames.AddWritten(start);
    }

    private static string? Text(Placeholder placeholder, HttpContext context) => placeholder.Source switch
    {
        PlaceholderSource.Route => context.Request.RouteValues[placeholder.Name]?.ToString(),
        PlaceholderSource.Query => context.Request.Query[placeholder.Name],
        PlaceholderSource.Header => context.Request.Headers[placeholder.Name],
        PlaceholderSource.Method => context.Request.Method,
        // Encoded, so that a line break in the path cannot become one in a line-based protocol behind the gateway.
        PlaceholderSource.Path => (context.Request.PathBase + context.Request.Path).ToUriComponent(),
        PlaceholderSource.User => context.User.Identity?.Name,
        PlaceholderSource.Traceparent => Traceparent(context),
        _ => throw new UnreachableException(placeholder.Source.ToString()),
    };

    private static string? Traceparent(HttpContext context) =>
        Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : context.Request.Headers.TraceParent;

    private static void WriteText(Placeholder placeholder, string? text, PooledBuffer output)
    {
        if (placeholder.Codec is null)
        {
            if (text is not null) Encoding.UTF8.GetBytes(text, output);
            return;
        }

        var array = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text?.Length ?? 0));
        try
        {
            Encode(placeholder, array.AsSpan(0, Encoding.UTF8.GetBytes(text, array)), output);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    private static void WriteBody(Placeholder placeholder, in ReadOnlySequence<byte> body, PooledBuffer output)
    {
        if (placeholder.Codec is null)
        {
            foreach (var segment in body) output.Write(segment.Span);
            return;
        }

        if (body.IsSingleSegment)
        {
            Encode(placeholder, body.FirstSpan, output);
            return;
        }

        var array = ArrayPool<byte>.Shared.Rent(checked((int)body.Length));
        try
        {
            body.CopyTo(array);
            Encode(placeholder, array.AsSpan(0, (int)body.Length), output);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    private static void WriteHead(Placeholder placeholder, HttpContext context, PooledBuffer output)
    {
        if (placeholder.Codec is null)
        {
            RequestHead.Write(context, output);
            return;
        }

        var head = new ArrayBufferWriter<byte>();
        RequestHead.Write(context, head);
        Encode(placeholder, head.WrittenSpan, output);
    }

    private static void Encode(Placeholder placeholder, ReadOnlySpan<byte> text, PooledBuffer output)
    {
        if (placeholder.Codec!.TryEncode(text, output)) return;
        var shown = Encoding.UTF8.GetString(text.Length > ShownValueLength ? text[..ShownValueLength] : text);
        throw new BackendException(
            StatusCodes.Status400BadRequest, "bad-request-value", $"{placeholder} is \"{shown}\"; allowed: {placeholder.Codec.Allowed}.");
    }
}
