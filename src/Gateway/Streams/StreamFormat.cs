using System.Text.Unicode;
using Gateway.Configuration;
using Gateway.WebSockets;

namespace Gateway.Streams;

/// <summary>What the audiences of one route have in common: how a message is taken apart and encoded, and the bounds of what waits.</summary>
/// <remarks>
/// Encodes for WebSockets without a subprotocol: the body frame as one message, text where the route's media type is textual and the body is
/// UTF-8, else binary. Other formats derive from it and append to the same kind of log.
/// </remarks>
internal class StreamFormat(WebRouteOptions options, StreamCounters counters)
{
    /// <summary>Which bytes are the topic.</summary>
    protected TopicRule Rule { get; } = new(options.Topic);

    private readonly bool _isText = IsTextual(options.ContentType);

    /// <summary>Bounds and policy.</summary>
    public SubscriberOptions Subscribers => options.Subscribers;

    /// <summary>Most topics remembered.</summary>
    public int MaxTopics => options.Topic.MaxTopics;

    /// <summary>What is counted of the route.</summary>
    public StreamCounters Counters => counters;

    /// <summary>Encodes a message to the end of a log.</summary>
    /// <returns>As <see cref="AudienceLog.Append"/>.</returns>
    public virtual bool Append(AudienceLog log, scoped in StreamMessage message)
    {
        Rule.Apply(message, out var topic, out var body);
        Span<byte> header = stackalloc byte[WebSocketFrames.MaxHeaderSize];
        var opcode = _isText && IsUtf8(body) ? WebSocketOpcode.Text : WebSocketOpcode.Binary;
        return log.Append(header[..WebSocketFrames.WriteHeader(header, opcode, body.Length)], body, topic);
    }

    /// <summary>Whether bodies of this media type are text: <c>text/*</c>, JSON, XML and the like.</summary>
    internal static bool IsTextual(string? mediaType)
    {
        if (mediaType is null) return false;
        var end = mediaType.IndexOf(';', StringComparison.Ordinal);
        var type = (end < 0 ? mediaType : mediaType[..end]).Trim();
        return type.StartsWith("text/", StringComparison.OrdinalIgnoreCase)
            || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+xml", StringComparison.OrdinalIgnoreCase)
            || type.ToLowerInvariant() is "application/json" or "application/xml" or "application/yaml" or "application/javascript" or "application/x-ndjson";
    }

    // A client must fail the connection at a text message that is not UTF-8 (RFC 6455, 8.1); as binary it does no harm.
    private static bool IsUtf8(in FrameBytes body)
    {
        if (body.IsSinglePiece) return Utf8.IsValid(body.Span);
        var check = new Utf8Check();
        foreach (var piece in body.Pieces)
        {
            if (!check.Append(piece.Span)) return false;
        }

        return check.IsComplete;
    }
}
