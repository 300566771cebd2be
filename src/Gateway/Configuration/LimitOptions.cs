using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>
/// Limits for what comes from the web and goes to it. Those of WebSockets are here because the server's own end at the upgrade.
/// </summary>
public sealed class LimitOptions
{
    /// <summary>
    /// Most connections of the web server at once; a further one is closed when it is accepted. Default none but that of open files
    /// (<c>ulimit -n</c>), of which web connections leave a quarter, 96 to 2,048, to backends and files; 1 to 10,000,000.
    /// </summary>
    [Range(1, 10_000_000)]
    public int? MaxConnections { get; set; }

    /// <summary>Time between PINGs to a WebSocket client. Default 25 s; 1 s to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan PingInterval { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>Time a WebSocket client has to answer a PING. Default 10 s; 1 s to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan PongTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time one write to a WebSocket client may stall before the client is cut. Default 10 s; 1 s to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest message accepted from a WebSocket client, in bytes. Default 1 MiB; 125 to 2^30.</summary>
    [Range(typeof(long), "125", "1073741824")]
    public long MaxWebSocketMessageSize { get; set; } = 1024 * 1024;

    /// <summary>Most fragments of one WebSocket message. Default 131,072; 1 to 10,000,000.</summary>
    [Range(1, 10_000_000)]
    public int MaxWebSocketFragments { get; set; } = 131_072;

    /// <summary>Most topics of one subscription. Default 128; 1 to 10,000.</summary>
    [Range(1, 10_000)]
    public int MaxTopicsPerClient { get; set; } = 128;

    /// <summary>Longest topic in bytes. Default 4 KiB; 1 to 64 KiB.</summary>
    [Range(1, 65536)]
    public int MaxTopicLength { get; set; } = 4096;

    /// <summary>Bytes that may wait unsent in the kernel for one WebSocket client (TCP_NOTSENT_LOWAT). Default 128 KiB; 4 KiB to 16 MiB.</summary>
    [Range(4096, 16 * 1024 * 1024)]
    public int NotSentLowWater { get; set; } = 128 * 1024;

    /// <summary>
    /// Time in which a client takes no byte of a streamed response before its request is aborted. Default 30 s; 1 s to 1 h.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan ResponseStallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Least bytes per second that a client has to take of a streamed response, on average over each <see cref="ResponseStallTimeout"/>.
    /// Default 0: as slowly as it likes; 0 to 2^30.
    /// </summary>
    [Range(typeof(long), "0", "1073741824")]
    public long MinResponseRate { get; set; }

    /// <summary>Time that shutdown gives to calls in flight and to clients. Default 30 s; 0 to 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
