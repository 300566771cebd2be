using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>Bounds of what waits for one subscriber and what happens beyond them.</summary>
public sealed class SubscriberOptions
{
    /// <summary>What happens to a subscriber beyond its bounds. Default DropOldest.</summary>
    public SlowConsumerPolicy Policy { get; set; }

    /// <summary>Most messages waiting. Default 10,000; 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxMessages { get; set; } = 10_000;

    /// <summary>Most bytes waiting. Default 1 MiB; 1 KiB to 1 GiB.</summary>
    [Range(typeof(long), "1024", "1073741824")]
    public long MaxBytes { get; set; } = 1024 * 1024;
}

/// <summary>What happens to a subscriber that does not keep up.</summary>
public enum SlowConsumerPolicy
{
    /// <summary>The oldest waiting messages are dropped and counted.</summary>
    DropOldest,

    /// <summary>New messages are dropped and counted.</summary>
    DropNewest,

    /// <summary>Only the latest message of each topic waits.</summary>
    Conflate,

    /// <summary>The connection is closed with code 4008.</summary>
    Disconnect,

    /// <summary>Nothing is dropped: reading from the source pauses until the subscriber has room.</summary>
    Block,
}
