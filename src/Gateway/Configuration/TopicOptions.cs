using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>The topic rule: which bytes name a message, and what is left as its body. At most one of the three is set.</summary>
public sealed class TopicOptions
{
    /// <summary>Index of the frame that is the topic; the other frames are the body. 0 to 63.</summary>
    [Range(0, 63)]
    public int? Frame { get; set; }

    /// <summary>True: messages have no topic; all frames are the body and the route is its own single topic.</summary>
    public bool? None { get; set; }

    /// <summary>Text that ends the topic inside the first frame (<c>":"</c> for <c>EURUSD:1.08</c>); what follows is the body. 1 to 16 bytes as UTF-8.</summary>
    [Allowed(GatewayOptionsValidator.DelimiterRule)]
    public string? Delimiter { get; set; }

    /// <summary>
    /// Index of the frame that plain WebSocket clients get; negative counts from the end. Default: the first frame that is not the topic. -64 to 63.
    /// </summary>
    [Range(-64, 63)]
    public int? Body { get; set; }

    /// <summary>Most topics remembered per route; least recently used out, evictions counted. Default 10,000; 1 to 10,000,000.</summary>
    [Range(1, 10_000_000)]
    public int MaxTopics { get; set; } = 10_000;
}
