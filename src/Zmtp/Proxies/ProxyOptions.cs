using Zmtp.Sockets;

namespace Zmtp.Proxies;

/// <summary>What a <see cref="ZmtpProxy"/> does beside forwarding. Read when the proxy is made.</summary>
public sealed class ProxyOptions
{
    /// <summary>Gets a copy of every message: PUB, XPUB, PUSH, PAIR or DEALER. What it has no room for it misses; it never holds the proxy up. Default none. (capture of zmq_proxy)</summary>
    public ZmtpSocket? Monitor { get; set; }

    /// <summary>First frame, at the monitor, of messages from the frontend; null for none, as zmq_proxy does. pyzmq's monitored queue: <c>in</c>.</summary>
    public byte[]? InPrefix { get; set; }

    /// <summary>First frame, at the monitor, of messages from the backend; null for none. pyzmq's monitored queue: <c>out</c>.</summary>
    public byte[]? OutPrefix { get; set; }

    /// <summary>Takes PAUSE, RESUME, TERMINATE and STATISTICS: PAIR, REP, DEALER, PULL or SUB. Default none. (control of zmq_proxy_steerable)</summary>
    public ZmtpSocket? Control { get; set; }

    /// <summary>
    /// Time that a message waits for a ROUTER's peer that is at its high-water mark; then it is dropped and counted, and so is what follows for that
    /// peer until it takes something. Others' messages from the same source wait too. Default 10 s; zero drops at once, as libzmq does.
    /// </summary>
    public TimeSpan FullPeerTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Last frames of messages above this many bytes are sent on while they arrive, where one peer gets them and the side they come from
    /// has no other peer; others are held whole. Default 1 MiB.
    /// </summary>
    public long StreamAbove { get; set; } = 1024 * 1024;

    /// <summary>
    /// Time in which a frame that is sent on while it arrives has to gain <see cref="StreamBytesPerSecond"/> on average, again and again.
    /// Else the connection that holds it up is closed: the source's when its bytes did not come, the target's when it did not take them.
    /// Default 10 s; above 0.
    /// </summary>
    public TimeSpan StreamTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Least pace of a frame that is sent on while it arrives, in bytes a second. Default 16 KiB; at least 1.</summary>
    public long StreamBytesPerSecond { get; set; } = 16 * 1024;
}
