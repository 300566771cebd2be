using Zmtp.Wire;

namespace Zmtp;

/// <summary>Options of a socket. They are read when the socket is made; later changes have no effect on it.</summary>
public sealed partial class ZmtpOptions
{
    /// <summary>Most bytes of <see cref="Metadata"/>, names and five bytes for each property included.</summary>
    public const int MaxMetadataBytes = 1024;

    /// <summary>Identity announced to ROUTER peers: up to 255 bytes, not beginning with zero. Default empty. REQ, REP, DEALER and ROUTER only. (libzmq: ROUTING_ID)</summary>
    public byte[] Identity { get; set; } = [];

    /// <summary>
    /// The application's own properties, announced in the handshake and found in the peer's <see cref="Sockets.Peer.Properties"/>. Names begin
    /// with <c>X-</c> and have up to 255 letters, digits, <c>-</c>, <c>_</c>, <c>.</c> and <c>+</c>; all together have up to 1 KiB. Default none. (METADATA)
    /// </summary>
    public IReadOnlyDictionary<string, byte[]> Metadata { get; set; } = new Dictionary<string, byte[]>();

    /// <summary>Messages waiting to be sent per peer. Default 1,000; 0 for no limit. (SNDHWM)</summary>
    public int SendHighWaterMark { get; set; } = 1_000;

    /// <summary>Bytes waiting to be sent per peer; one message of any size passes when nothing waits. Default 64 MiB; 0 for no limit.</summary>
    public long SendHighWaterMarkBytes { get; set; } = 64L << 20;

    /// <summary>Messages received and not yet taken, per peer; above it nothing is read from the peer. Default 1,000; 0 for no limit. (RCVHWM)</summary>
    public int ReceiveHighWaterMark { get; set; } = 1_000;

    /// <summary>Bytes received and not yet taken, per peer. Default 64 MiB; 0 for no limit.</summary>
    public long ReceiveHighWaterMarkBytes { get; set; } = 64L << 20;

    /// <summary>Largest message accepted, the sum of its frames in bytes. Default 0: no limit. (MAXMSGSIZE, which libzmq counts per frame)</summary>
    public long MaxMessageSize { get; set; }

    /// <summary>Most frames of one message. Default 65,536.</summary>
    public int MaxMessageFrames { get; set; } = 65_536;

    /// <summary>Frames above this size reach a sink in pieces while they arrive. Default 64 KiB.</summary>
    public int StreamThreshold { get; set; } = 64 * 1024;

    /// <summary>Longest topic that a subscriber may send. Default 4 KiB.</summary>
    public int MaxTopicLength { get; set; } = 4096;

    /// <summary>Most subscriptions of one peer. Default 100,000.</summary>
    public int MaxSubscriptions { get; set; } = 100_000;

    /// <summary>Most bytes of the topics that one peer subscribed to, 128 for each topic's own cost included. Default 16 MiB.</summary>
    public long MaxSubscriptionBytes { get; set; } = 16L << 20;

    /// <summary>Time from connection to ready. Default 30 s; zero for no limit. (HANDSHAKE_IVL)</summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Most accepted connections that have not finished their handshake, per listener. Default 1,000. One more closes the one that has been silent longest.</summary>
    public int MaxHandshakes { get; set; } = 1_000;

    /// <summary>Time that an attempt to connect may take. Default 5 s; zero leaves it to the system. (CONNECT_TIMEOUT)</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Time between PINGs. Default zero: none. (HEARTBEAT_IVL)</summary>
    public TimeSpan HeartbeatInterval { get; set; }

    /// <summary>Time without a received byte, after a PING was due, that ends a connection. Default zero: as <see cref="HeartbeatInterval"/>. (HEARTBEAT_TIMEOUT)</summary>
    public TimeSpan HeartbeatTimeout { get; set; }

    /// <summary>Time that we ask peers to wait for a byte of ours, sent with PING. Default zero: none; at most 65.5 s, for libzmq overflows above. (HEARTBEAT_TTL)</summary>
    public TimeSpan HeartbeatTtl { get; set; }

    /// <summary>First wait before a lost or unreachable endpoint is tried again; <see cref="Timeout.InfiniteTimeSpan"/> never to try again. Default 100 ms. (RECONNECT_IVL)</summary>
    public TimeSpan ReconnectMin { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Longest wait; each failure doubles the wait up to it. Zero: the wait stays <see cref="ReconnectMin"/>, as is libzmq's default. Default 10 s.
    /// Every wait is spread at random over its upper half. (RECONNECT_IVL_MAX)
    /// </summary>
    public TimeSpan ReconnectMax { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What ends the attempts to connect again. Default None. (RECONNECT_STOP)</summary>
    public ReconnectStop ReconnectStop { get; set; }

    /// <summary>
    /// Time that closing a socket, or taking an endpoint away, waits for what is queued to be sent; <see cref="Timeout.InfiniteTimeSpan"/> for as
    /// long as it takes. Default 1 s: a process must be able to end. (LINGER, by default -1 there)
    /// </summary>
    public TimeSpan Linger { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Time that a send waits for a peer with room, then fails with <see cref="TimeoutException"/>. Default infinite; zero not to wait. (SNDTIMEO)</summary>
    public TimeSpan SendTimeout { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>Time that a receive waits for a message, then fails with <see cref="TimeoutException"/>. Default infinite; zero not to wait. (RCVTIMEO)</summary>
    public TimeSpan ReceiveTimeout { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>Clock of timeouts, heartbeats and reconnects.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Random numbers from 0 to 1 that spread reconnects.</summary>
    public Func<double> Jitter { get; set; } = Random.Shared.NextDouble;

    /// <summary>Told of what happens to connections; must not block. Default: nobody.</summary>
    public Action<SocketEvent>? Events { get; set; }

    /// <summary>The names of inproc endpoints. Default: one set for the process.</summary>
    public Transports.InprocRegistry Inproc { get; set; } = Transports.InprocRegistry.Shared;

    internal int HighestUnread => ReceiveHighWaterMark == 0 ? int.MaxValue : ReceiveHighWaterMark;

    internal long HighestUnreadBytes => ReceiveHighWaterMarkBytes == 0 ? long.MaxValue : ReceiveHighWaterMarkBytes;

    /// <summary>Whether a text may be a name in <see cref="Metadata"/>.</summary>
    public static bool IsMetadataName(string name) =>
        name.StartsWith("X-", StringComparison.OrdinalIgnoreCase) && name.Length is > 2 and <= byte.MaxValue && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '+');

    /// <exception cref="ZmtpException">The options contradict each other; the message says how.</exception>
    internal void Check(SocketType type)
    {
        if (Identity.Length > byte.MaxValue || (Identity.Length > 0 && Identity[0] == 0)) throw new ZmtpException("Identity has up to 255 bytes and does not begin with zero.");
        foreach (var option in SocketOptionTable.All)
        {
            if (!option.Takes(type) && option.IsGiven(this)) throw new ZmtpException($"{option.Name} does not apply to {type.Name()} sockets; it is for {option.TypesText}.");
        }

        CheckMetadata();
        CheckTransport();
        CheckSecurity();
    }

    private void CheckMetadata()
    {
        foreach (var (name, _) in Metadata)
        {
            if (!IsMetadataName(name))
                throw new ZmtpException($"Metadata has the name \"{name}\"; allowed: X- and up to 253 letters, digits, '-', '_', '.' and '+'.");
        }

        var size = Metadata.Sum(property => Wire.Metadata.PropertySize(property.Key, property.Value.Length));
        if (size > MaxMetadataBytes) throw new ZmtpException($"Metadata has {size} bytes; allowed: up to {MaxMetadataBytes}, names and five bytes for each property included.");
    }

    internal ZmtpOptions Copy() => (ZmtpOptions)MemberwiseClone();

    internal DecoderLimits Limits => new(MaxMessageSize == 0 ? long.MaxValue : MaxMessageSize, MaxMessageFrames, 16 * 1024, StreamThreshold);
}

/// <summary>What ends the attempts to connect again, for good: a new Connect starts over. (RECONNECT_STOP)</summary>
[Flags]
public enum ReconnectStop
{
    /// <summary>Nothing does.</summary>
    None = 0,

    /// <summary>Nothing listens at the endpoint.</summary>
    ConnectionRefused = 1,

    /// <summary>The handshake failed: another protocol, mechanism or socket type, or refused credentials.</summary>
    HandshakeFailed = 2,

    /// <summary>The endpoint was taken away. Always so here; the value is there for those who come from libzmq.</summary>
    AfterDisconnect = 4,
}
