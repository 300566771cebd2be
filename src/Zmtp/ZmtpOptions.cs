namespace Zmtp;

/// <summary>Options of a socket. They are read when the socket is made; later changes have no effect on it.</summary>
public sealed partial class ZmtpOptions
{
    /// <summary>Identity announced to ROUTER peers: up to 255 bytes, not beginning with zero. Default empty. (libzmq: ROUTING_ID)</summary>
    public byte[] Identity { get; set; } = [];

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

    /// <summary>First wait before a lost or unreachable endpoint is tried again. Default 100 ms. (RECONNECT_IVL)</summary>
    public TimeSpan ReconnectMin { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest wait; each failure doubles the wait up to it. Default 10 s. (RECONNECT_IVL_MAX)</summary>
    public TimeSpan ReconnectMax { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time that closing a socket waits for what is queued to be sent. Default 1 s. (LINGER)</summary>
    public TimeSpan Linger { get; set; } = TimeSpan.FromSeconds(1);

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

    /// <exception cref="ZmtpException">The options contradict each other; the message says how.</exception>
    internal void Check()
    {
        if (Identity.Length > byte.MaxValue || (Identity.Length > 0 && Identity[0] == 0)) throw new ZmtpException("Identity has up to 255 bytes and does not begin with zero.");
        CheckSecurity();
    }

    internal ZmtpOptions Copy() => (ZmtpOptions)MemberwiseClone();

    internal Wire.DecoderLimits Limits => new(MaxMessageSize == 0 ? long.MaxValue : MaxMessageSize, MaxMessageFrames, 16 * 1024, StreamThreshold);
}
