using static Zmtp.Wire.SocketType;

namespace Zmtp;

/// <summary>All options of sockets and the types that take them. Sockets, the gateway's configuration and the documentation go by this table.</summary>
public static class SocketOptionTable
{
    private static readonly Wire.SocketType[] Publishers = [Pub, XPub];
    private static readonly Wire.SocketType[] Greeters = [Dealer, Router, Client, Server, Peer];

    /// <summary>The options, by subject.</summary>
    public static IReadOnlyList<SocketOption> All { get; } =
    [
        Of(nameof(ZmtpOptions.SendHighWaterMark), "SNDHWM", "SendHighWatermark"),
        Of(nameof(ZmtpOptions.SendHighWaterMarkBytes)),
        Of(nameof(ZmtpOptions.ReceiveHighWaterMark), "RCVHWM", "ReceiveHighWatermark"),
        Of(nameof(ZmtpOptions.ReceiveHighWaterMarkBytes)),
        Of(nameof(ZmtpOptions.Conflate), "CONFLATE", "", static o => o.Conflate, Dealer, Push, Pull, Pub, Sub),
        Of(nameof(ZmtpOptions.Immediate), "IMMEDIATE", "DelayAttachOnConnect", static o => !o.Immediate, Req, Dealer, Push, Pair, Client, Scatter, Channel),
        Of(nameof(ZmtpOptions.Linger), "LINGER", "Linger"),
        Of(nameof(ZmtpOptions.SendTimeout), "SNDTIMEO"),
        Of(nameof(ZmtpOptions.ReceiveTimeout), "RCVTIMEO"),
        Of(nameof(ZmtpOptions.MaxMessageSize), "MAXMSGSIZE", "MaxMsgSize"),
        Of(nameof(ZmtpOptions.MaxMessageFrames)),
        Of(nameof(ZmtpOptions.StreamThreshold)),
        Of(nameof(ZmtpOptions.ReconnectMin), "RECONNECT_IVL", "ReconnectInterval"),
        Of(nameof(ZmtpOptions.ReconnectMax), "RECONNECT_IVL_MAX", "ReconnectIntervalMax"),
        Of(nameof(ZmtpOptions.ReconnectStop), "RECONNECT_STOP"),
        Of(nameof(ZmtpOptions.ConnectTimeout), "CONNECT_TIMEOUT"),
        Of(nameof(ZmtpOptions.HandshakeTimeout), "HANDSHAKE_IVL"),
        Of(nameof(ZmtpOptions.MaxHandshakes)),
        Of(nameof(ZmtpOptions.MaxHandshakesPerAddress)),
        Of(nameof(ZmtpOptions.HeartbeatInterval), "HEARTBEAT_IVL", "HeartbeatInterval"),
        Of(nameof(ZmtpOptions.HeartbeatTimeout), "HEARTBEAT_TIMEOUT", "HeartbeatTimeout"),
        Of(nameof(ZmtpOptions.HeartbeatTtl), "HEARTBEAT_TTL", "HeartbeatTtl"),
        Of(nameof(ZmtpOptions.Backlog), "BACKLOG", "Backlog"),
        Of(nameof(ZmtpOptions.SendBuffer), "SNDBUF", "SendBuffer"),
        Of(nameof(ZmtpOptions.ReceiveBuffer), "RCVBUF", "ReceiveBuffer"),
        Of(nameof(ZmtpOptions.TcpKeepAlive), "TCP_KEEPALIVE", "TcpKeepalive"),
        Of(nameof(ZmtpOptions.TcpKeepAliveCount), "TCP_KEEPALIVE_CNT"),
        Of(nameof(ZmtpOptions.TcpKeepAliveIdle), "TCP_KEEPALIVE_IDLE", "TcpKeepaliveIdle"),
        Of(nameof(ZmtpOptions.TcpKeepAliveInterval), "TCP_KEEPALIVE_INTVL", "TcpKeepaliveInterval"),
        Of(nameof(ZmtpOptions.TypeOfService), "TOS"),
        Of(nameof(ZmtpOptions.BindToDevice), "BINDTODEVICE"),
        Of(nameof(ZmtpOptions.IPv6), "IPV6", "IPv4Only"),
        Of(nameof(ZmtpOptions.SocksProxy), "SOCKS_PROXY"),
        Of(nameof(ZmtpOptions.SocksUserName), "SOCKS_USERNAME"),
        Of(nameof(ZmtpOptions.SocksPassword), "SOCKS_PASSWORD"),
        Of(nameof(ZmtpOptions.Identity), "ROUTING_ID", "Identity", static o => o.Identity.Length > 0, Req, Rep, Dealer, Router),
        Of(nameof(ZmtpOptions.Metadata), "METADATA"),
        Of(nameof(ZmtpOptions.ReqCorrelate), "REQ_CORRELATE", "Correlate", static o => o.ReqCorrelate, Req),
        Of(nameof(ZmtpOptions.ReqRelaxed), "REQ_RELAXED", "Relaxed", static o => o.ReqRelaxed, Req),
        Of(nameof(ZmtpOptions.ProbeRouter), "PROBE_ROUTER", "", static o => o.ProbeRouter, Req, Dealer, Router),
        Of(nameof(ZmtpOptions.RouterMandatory), "ROUTER_MANDATORY", "RouterMandatory", static o => o.RouterMandatory, Router),
        Of(nameof(ZmtpOptions.RouterHandover), "ROUTER_HANDOVER", "RouterHandover", static o => o.RouterHandover, Router),
        Of(nameof(ZmtpOptions.RouterNotify), "ROUTER_NOTIFY", "", static o => o.RouterNotify != RouterNotify.None, Router),
        Of(nameof(ZmtpOptions.HelloMessage), "HELLO_MSG", "HelloMessage", static o => o.HelloMessage.Length > 0, Greeters),
        Of(nameof(ZmtpOptions.DisconnectMessage), "DISCONNECT_MSG", "DisconnectMessage", static o => o.DisconnectMessage.Length > 0, Router, Server, Peer),
        Of(nameof(ZmtpOptions.HiccupMessage), "HICCUP_MSG", "", static o => o.HiccupMessage.Length > 0, Dealer, Client, Peer),
        Of(nameof(ZmtpOptions.XPubVerbose), "XPUB_VERBOSE", "XPubVerbose", static o => o.XPubVerbose, XPub),
        Of(nameof(ZmtpOptions.XPubVerboser), "XPUB_VERBOSER", "", static o => o.XPubVerboser, XPub),
        Of(nameof(ZmtpOptions.XPubManual), "XPUB_MANUAL", "ManualPublisher", static o => o.XPubManual, XPub),
        Of(nameof(ZmtpOptions.XPubManualLastValue), "XPUB_MANUAL_LAST_VALUE", "", static o => o.XPubManualLastValue, XPub),
        Of(nameof(ZmtpOptions.XPubNoDrop), "XPUB_NODROP", "", static o => o.XPubNoDrop, Publishers),
        Of(nameof(ZmtpOptions.WelcomeMessage), "XPUB_WELCOME_MSG", "SetWelcomeMessage", static o => o.WelcomeMessage.Length > 0, Publishers),
        Of(nameof(ZmtpOptions.InvertMatching), "INVERT_MATCHING", "", static o => o.InvertMatching, Pub, XPub, Sub),
        Of(nameof(ZmtpOptions.MulticastHops), "MULTICAST_HOPS", "MulticastHops", static o => o.MulticastHops != 1, Radio),
        Of(nameof(ZmtpOptions.MulticastLoop), "MULTICAST_LOOP", "", static o => !o.MulticastLoop, Radio),
        Of(nameof(ZmtpOptions.MaxTopicLength)),
        Of(nameof(ZmtpOptions.MaxSubscriptions)),
        Of(nameof(ZmtpOptions.MaxSubscriptionBytes)),
    ];

    /// <summary>The option with this name of ours, or null.</summary>
    public static SocketOption? Find(string name) => All.FirstOrDefault(option => option.Name == name);

    private static SocketOption Of(string name, string libzmq = "", string netMq = "") => new(name, libzmq, netMq, []);

    private static SocketOption Of(string name, string libzmq, string netMq, Func<ZmtpOptions, bool> isGiven, params Wire.SocketType[] types) =>
        new(name, libzmq, netMq, types) { IsGiven = isGiven };
}
