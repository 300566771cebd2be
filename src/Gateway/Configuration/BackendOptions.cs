using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>A socket towards services. <see cref="Socket"/> is the role that the gateway plays.</summary>
public sealed class BackendOptions
{
    /// <summary>
    /// Role of the gateway: REQ, DEALER or CLIENT (calls), PUB, XPUB or RADIO (publish), PUSH or SCATTER (push), SUB, XSUB, PULL, GATHER or DISH
    /// (streams). Required.
    /// </summary>
    [Required]
    [AllowedValues("REQ", "DEALER", "CLIENT", "PUB", "XPUB", "RADIO", "PUSH", "SCATTER", "SUB", "XSUB", "PULL", "GATHER", "DISH")]
    [Allowed("one of REQ, DEALER, CLIENT, PUB, XPUB, RADIO, PUSH, SCATTER, SUB, XSUB, PULL, GATHER, DISH; the other types are for devices")]
    public string Socket { get; set; } = "";

    /// <summary>Endpoints to connect to: <c>tcp://host:port</c>, <c>ipc://path</c>, <c>ipc://@abstract</c>, <c>ws://host:port/path</c>, <c>wss://host:port/path</c>, <c>inproc://name</c>.</summary>
    [Allowed(EndpointSyntax.ConnectRule)]
    public List<string> Connect { get; set; } = [];

    /// <summary>Endpoints to bind: as <see cref="Connect"/>, also <c>tcp://*:port</c>. Connect and Bind together name at least one endpoint.</summary>
    [Allowed(EndpointSyntax.BindRule)]
    public List<string> Bind { get; set; } = [];

    /// <summary>Time a call waits for its reply, then fails with 504 <c>backend-timeout</c>. Default 5 s; above 0, at most 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00", MinimumIsExclusive = true)]
    [AppliesTo(RouteKinds.Call)]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Time a call or push waits for a ready peer, then fails with 503 <c>backend-unavailable</c>. A call does not wait when an attempt to
    /// connect has just failed at each endpoint. Default 1 s; 0 to 1 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    [AppliesTo(RouteKinds.Call | RouteKinds.Push)]
    public TimeSpan ConnectWait { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Most connections of a caller to each of its Connect endpoints; further ones open for large requests and replies, which have one for
    /// themselves, and for a CLIENT, whose connections carry one call at a time, while all are in use. Default 8; 1 to 256.
    /// </summary>
    [Range(1, 256)]
    [AppliesTo(RouteKinds.Call)]
    public int MaxConnections { get; set; } = 8;

    /// <summary>Most calls in flight at once over the whole backend; one more fails with 503 <c>backend-overloaded</c>. Default 10,000; 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    [AppliesTo(RouteKinds.Call)]
    public int MaxInFlight { get; set; } = 10_000;

    /// <summary>Upstream filters of a SUB or XSUB: <c>["Demand"]</c> (default: exactly what clients want), or fixed prefixes such as <c>[""]</c>.</summary>
    [AppliesTo(RouteKinds.Stream)]
    [Allowed("Demand alone, or prefixes")]
    public List<string> Upstream { get; set; } = [];

    /// <summary>The socket's options, with ZeroMQ's defaults where the gateway has no better reason.</summary>
    public SocketOptions Options { get; set; } = new();

    /// <summary>When and how often a failed call is tried again.</summary>
    [AppliesTo(RouteKinds.Call)]
    public RetryOptions Retry { get; set; } = new();

    /// <summary>When an endpoint that times out is left alone for a while.</summary>
    [AppliesTo(RouteKinds.Call)]
    public CircuitOptions Circuit { get; set; } = new();

    /// <summary>How its connections are secured, and who may come in. Default: not at all.</summary>
    public SecurityOptions Security { get; set; } = new();

    /// <summary>TLS of its <c>wss://</c> endpoints.</summary>
    public TlsOptions Tls { get; set; } = new();
}
