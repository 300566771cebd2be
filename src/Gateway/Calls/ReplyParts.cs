using System.Text;
using Microsoft.Net.Http.Headers;
using Zmtp.Wire;

namespace Gateway.Calls;

/// <summary>A response made of several frames.</summary>
internal abstract class ReplyParts
{
    /// <summary>Media type of the response, which can begin at once; null when it is put together and sent at the end.</summary>
    public abstract string? ContentType { get; }

    /// <summary>Takes a frame or a piece of one.</summary>
    public abstract void Write(in FramePart part, CallReply reply);

    /// <summary>Ends the response.</summary>
    public abstract void End(CallReply reply);

    /// <summary>A JSON array for a client that accepts nothing but JSON, else <c>multipart/mixed</c>.</summary>
    /// <param name="partType">Media type of every frame.</param>
    public static ReplyParts For(HttpRequest request, string partType)
    {
        var accepted = request.GetTypedHeaders().Accept;
        return accepted.Count > 0 && accepted.All(IsJson) ? new JsonReplyParts(IsJson(partType)) : new MultipartReplyParts(partType);
    }

    private static bool IsJson(string mediaType) => MediaTypeHeaderValue.TryParse(mediaType, out var parsed) && IsJson(parsed);

    private static bool IsJson(MediaTypeHeaderValue type) =>
        type.SubType.Equals("json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase);
}

/// <summary>RFC 2046 <c>multipart/mixed</c>: frames go out while they arrive, whatever their size.</summary>
internal sealed class MultipartReplyParts(string partType) : ReplyParts
{
    // Random, so that no frame can contain it but by chance.
    private readonly string _boundary = Guid.NewGuid().ToString("N");

    public override string ContentType => $"multipart/mixed; boundary={_boundary}";

    public override void Write(in FramePart part, CallReply reply)
    {
        if (part.IsFirst)
        {
            reply.Write(Encoding.ASCII.GetBytes($"--{_boundary}\r\nContent-Type: {partType}\r\nContent-Length: {part.FrameLength}\r\n\r\n"));
        }

        reply.Write(part.Bytes);
        if (part.IsLast) reply.Write("\r\n"u8);
    }

    public override void End(CallReply reply) => reply.Write(Encoding.ASCII.GetBytes($"--{_boundary}--\r\n"));
}
