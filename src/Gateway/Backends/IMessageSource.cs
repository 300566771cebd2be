using Zmtp.Sockets;

namespace Gateway.Backends;

/// <summary>A SUB, XSUB, PULL, GATHER or DISH backend that feeds one consumer (the topic hub).</summary>
internal interface IMessageSource
{
    /// <summary>Name of the backend.</summary>
    string Name { get; }

    /// <summary>Starts feeding. Called once, before any subscription.</summary>
    /// <param name="sinkForPeer">Makes the sink of a peer that became ready; each peer has its own read loop and so its own sink.</param>
    void Start(Func<IFrameSink> sinkForPeer);

    /// <summary>Subscribes at every present and future peer. The caller counts: it says each prefix once. No effect on PULL and GATHER.</summary>
    /// <param name="prefix">Byte prefix of the first frame; empty for everything. DISH: the exact name of a group.</param>
    void Subscribe(ReadOnlyMemory<byte> prefix);

    /// <summary>Takes a subscription back.</summary>
    void Unsubscribe(ReadOnlyMemory<byte> prefix);

    /// <summary>Where the consumer says, in words, why messages that arrive reach nobody; null for nothing. Shown as the backend's notice.</summary>
    Func<string?>? Diagnosis
    {
        get => null;
        set => _ = value;
    }

    /// <summary>Why nothing may be arriving, in words a person can act on, or null when at least one peer is ready.</summary>
    string? WhyNotReady { get; }
}
