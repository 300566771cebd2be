using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <remarks>Not RouteOptions: ASP.NET has one.</remarks>
/// <summary>A web endpoint onto a backend. Its kind follows from the backend's socket: call, publish, push or stream.</summary>
public sealed class WebRouteOptions
{
    /// <summary>Path template, such as <c>/api/price/{symbol}</c> or <c>/quotes/{topic?}</c>. Required; begins with <c>/</c>.</summary>
    [Required]
    [Allowed(GatewayOptionsValidator.PathRule)]
    public string Path { get; set; } = "";

    /// <summary>HTTP methods. Default POST for calls, publish and push; streams are GET and take none.</summary>
    [AppliesTo(RouteKinds.Call | RouteKinds.Publish | RouteKinds.Push)]
    [Allowed(GatewayOptionsValidator.MethodsRule)]
    public List<string> Methods { get; set; } = [];

    /// <summary>Name of the backend. Required.</summary>
    [Required]
    [Allowed("the name of a backend")]
    public string Backend { get; set; } = "";

    /// <summary>Frames to send; default <c>["{body}"]</c>, for a publish route <c>["{route:topic}", "{body}"]</c> when its path has a topic. See docs/configuration.md for the placeholders.</summary>
    [AppliesTo(RouteKinds.Call | RouteKinds.Publish | RouteKinds.Push)]
    public List<string> Request { get; set; } = [];

    /// <summary>What the reply's frames are; default <c>["{body}"]</c>.</summary>
    [AppliesTo(RouteKinds.Call)]
    public List<string> Reply { get; set; } = [];

    /// <summary>Media type of replies and of messages to web clients. Default <c>application/octet-stream</c>; text types and JSON become WebSocket text messages.</summary>
    [AppliesTo(RouteKinds.Call | RouteKinds.Stream)]
    [Allowed(GatewayOptionsValidator.MediaTypeRule)]
    public string? ContentType { get; set; }

    /// <summary>Overrides the backend's <c>Timeout</c> for this route; above 0, at most 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00", MinimumIsExclusive = true)]
    [AppliesTo(RouteKinds.Call)]
    public TimeSpan? Timeout { get; set; }

    /// <summary>Largest request body in bytes. Default 30,000,000; 0 to 2^40.</summary>
    [Range(typeof(long), "0", "1099511627776")]
    [AppliesTo(RouteKinds.Call | RouteKinds.Publish | RouteKinds.Push)]
    public long MaxBodySize { get; set; } = 30_000_000;

    /// <summary>Largest body without Content-Length that is spooled before it is sent, in bytes; a larger one is refused with 411. Default 16 MiB; 0 to 2^30.</summary>
    [Range(typeof(long), "0", "1073741824")]
    [AppliesTo(RouteKinds.Call | RouteKinds.Publish | RouteKinds.Push)]
    public long SpoolLimit { get; set; } = 16 * 1024 * 1024;

    /// <summary>Where the topic of a message stands. Default: frame 0 of a multipart message, none for one frame.</summary>
    [AppliesTo(RouteKinds.Stream)]
    public TopicOptions Topic { get; set; } = new();

    /// <summary>What happens to subscribers that do not keep up.</summary>
    [AppliesTo(RouteKinds.Stream)]
    public SubscriberOptions Subscribers { get; set; } = new();

    /// <summary>ZeroMQ peers over WebSocket on this route.</summary>
    public ZwsOptions Zws { get; set; } = new();

    /// <summary>Short text for the OpenAPI document.</summary>
    public string? Summary { get; set; }
}
