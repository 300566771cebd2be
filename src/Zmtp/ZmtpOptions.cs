namespace Zmtp;

/// <summary>Options of a socket. They are read when the socket is made; later changes have no effect on it.</summary>
public sealed class ZmtpOptions
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

    /// <summary>Most accepted connections that have not finished their handshake, per listener. Default 1,000.</summary>
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

    /// <summary>Largest frame on a CURVE connection, which is held whole before it is believed. Default 64 MiB.</summary>
    public int MaxEncryptedFrameSize { get; set; } = 64 << 20;

    /// <summary>PLAIN, client: the user name, up to 255 bytes of UTF-8. Default null: not PLAIN. (PLAIN_USERNAME)</summary>
    public string? PlainUserName { get; set; }

    /// <summary>PLAIN, client: the password, up to 255 bytes of UTF-8. (PLAIN_PASSWORD)</summary>
    public string PlainPassword { get; set; } = "";

    /// <summary>PLAIN, server. Needs an <see cref="Authenticator"/>. Default false. (PLAIN_SERVER)</summary>
    public bool PlainServer { get; set; }

    /// <summary>CURVE: our long-term keys; with <see cref="CurveServerKey"/> as a client, with <see cref="CurveServer"/> as a server. (CURVE_PUBLICKEY, CURVE_SECRETKEY)</summary>
    public Security.CurveKeyPair? CurveKeys { get; set; }

    /// <summary>CURVE, client: the server's public key, 32 bytes. Default null: not a client. (CURVE_SERVERKEY)</summary>
    public byte[]? CurveServerKey { get; set; }

    /// <summary>CURVE, server. Needs <see cref="CurveKeys"/> and an <see cref="Authenticator"/>. Default false. (CURVE_SERVER)</summary>
    public bool CurveServer { get; set; }

    /// <summary>Decides about peers, as a server of PLAIN or CURVE and, with a <see cref="ZapDomain"/>, of NULL. Default null.</summary>
    public Security.IAuthenticator? Authenticator { get; set; }

    /// <summary>Name that the authenticator is asked with. Default empty: NULL peers are not asked about. (ZAP_DOMAIN)</summary>
    public string ZapDomain { get; set; } = "";

    /// <summary>Length of a listener's queue. Default 100. (BACKLOG)</summary>
    public int Backlog { get; set; } = 100;

    /// <summary>Kernel send buffer in bytes. Default 0: the system's. (SNDBUF)</summary>
    public int SendBuffer { get; set; }

    /// <summary>Kernel receive buffer in bytes. Default 0: the system's. (RCVBUF)</summary>
    public int ReceiveBuffer { get; set; }

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

    /// <summary>The mechanism of one new connection.</summary>
    internal Security.Mechanism CreateMechanism(Wire.SocketType type) => this switch
    {
        { PlainServer: true } => new Security.PlainServerMechanism(type, Identity),
        { PlainUserName: { } user } => new Security.PlainClientMechanism(type, Identity, System.Text.Encoding.UTF8.GetBytes(user), System.Text.Encoding.UTF8.GetBytes(PlainPassword)),
        { CurveServer: true } => new Security.CurveServerMechanism(type, Identity, CurveKeys!),
        { CurveServerKey: { } serverKey } => new Security.CurveClientMechanism(type, Identity, CurveKeys!, serverKey),
        _ => new Security.NullMechanism(type, Identity, asks: Authenticator is not null && ZapDomain.Length > 0),
    };

    /// <exception cref="ZmtpException">The options contradict each other; the message says how.</exception>
    internal void Check()
    {
        if (Identity.Length > byte.MaxValue || (Identity.Length > 0 && Identity[0] == 0)) throw new ZmtpException("Identity has up to 255 bytes and does not begin with zero.");
        var mechanisms = (PlainServer ? 1 : 0) + (PlainUserName is null ? 0 : 1) + (CurveServer ? 1 : 0) + (CurveServerKey is null ? 0 : 1);
        if (mechanisms > 1) throw new ZmtpException("PlainServer, PlainUserName, CurveServer and CurveServerKey exclude each other: a socket has one mechanism and one role.");
        if ((PlainServer || CurveServer) && Authenticator is null) throw new ZmtpException("A server of PLAIN or CURVE needs an Authenticator: nobody is let in silently.");
        if ((CurveServer || CurveServerKey is not null) && CurveKeys is null) throw new ZmtpException("CURVE needs CurveKeys.");
        if (CurveServerKey is { Length: not 32 }) throw new ZmtpException($"CurveServerKey has 32 bytes, not {CurveServerKey.Length}.");
        if (System.Text.Encoding.UTF8.GetByteCount(PlainUserName ?? "") > byte.MaxValue || System.Text.Encoding.UTF8.GetByteCount(PlainPassword) > byte.MaxValue)
            throw new ZmtpException("PlainUserName and PlainPassword have up to 255 bytes.");
        if (CurveServer || CurveServerKey is not null) Security.Sodium.ThrowIfMissing();
    }

    internal ZmtpOptions Copy() => (ZmtpOptions)MemberwiseClone();

    internal Wire.DecoderLimits Limits => new(MaxMessageSize == 0 ? long.MaxValue : MaxMessageSize, MaxMessageFrames, 16 * 1024, StreamThreshold);
}
