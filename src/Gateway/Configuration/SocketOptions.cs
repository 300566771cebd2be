using System.ComponentModel.DataAnnotations;
using System.Text;
using Zmtp;

namespace Gateway.Configuration;

/// <summary>
/// Options of one socket, as ZeroMQ knows them; docs/sockets.md has their names in libzmq, pyzmq and NetMQ, and the socket types that take each.
/// One that is given to a socket that does not take it is an error.
/// </summary>
public sealed class SocketOptions
{
    private const string Longest = "1.00:00:00";
    private static readonly ZmtpOptions Engine = new();

    /// <summary>Messages waiting to be sent per peer before the pattern's rule applies (drop for PUB, wait for PUSH); 0 for no limit. Default 1,000; 0 to 10,000,000.</summary>
    [Range(0, 10_000_000)]
    public int SendHighWaterMark { get; set; } = Engine.SendHighWaterMark;

    /// <summary>Bytes waiting to be sent per peer before the pattern's rule applies; 0 for no limit. Default 16 MiB; 0 to 2^40.</summary>
    [Range(typeof(long), "0", "1099511627776")]
    public long SendHighWaterMarkBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>Messages received and not yet taken, per peer, above which nothing is read from the peer; 0 for no limit. Default 1,000; 0 to 10,000,000.</summary>
    [Range(0, 10_000_000)]
    public int ReceiveHighWaterMark { get; set; } = Engine.ReceiveHighWaterMark;

    /// <summary>Bytes received and not yet taken, per peer, above which nothing is read from the peer; 0 for no limit. Default 64 MiB; 0 to 2^40.</summary>
    [Range(typeof(long), "0", "1099511627776")]
    public long ReceiveHighWaterMarkBytes { get; set; } = Engine.ReceiveHighWaterMarkBytes;

    /// <summary>
    /// Time that closing waits for what is queued to be sent; what is left then is lost, counted and logged. Default 10 s for publish and
    /// push, whose clients have been told that it was taken; 1 s for the others. 0 to 1 day.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", Longest)]
    public TimeSpan? Linger { get; set; }

    /// <summary>Largest message accepted from a peer, in bytes; 0 for no limit. Default 1 MiB for streams; 0 for calls and devices, which pass it on while it arrives. 0 to 2^40.</summary>
    [Range(typeof(long), "0", "1099511627776")]
    public long? MaxMessageSize { get; set; }

    /// <summary>Most frames of one message. Default 65,536; 1 to 10,000,000.</summary>
    [Range(1, 10_000_000)]
    public int MaxMessageFrames { get; set; } = Engine.MaxMessageFrames;

    /// <summary>Frames above this size are handed over while they still arrive, in bytes. Default 64 KiB; 1 KiB to 1 MiB.</summary>
    [Range(1024, 1024 * 1024)]
    public int StreamThreshold { get; set; } = Engine.StreamThreshold;

    /// <summary>Shortest wait before a lost endpoint is tried again; doubles up to <see cref="ReconnectMax"/>, always jittered. Default 100 ms; 1 ms to 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan ReconnectMin { get; set; } = Engine.ReconnectMin;

    /// <summary>Longest wait before a lost endpoint is tried again. Default 30 s; at least <see cref="ReconnectMin"/>, at most 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "01:00:00")]
    public TimeSpan ReconnectMax { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What ends the attempts to connect again, until the next start: <c>ConnectionRefused</c>, <c>HandshakeFailed</c>. Default none: an endpoint is tried for ever.</summary>
    [Allowed("ConnectionRefused, HandshakeFailed, AfterDisconnect")]
    public List<string> ReconnectStop { get; set; } = [];

    /// <summary>Time that an attempt to connect may take; 0 leaves it to the system. Default 5 s; 0 to 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan ConnectTimeout { get; set; } = Engine.ConnectTimeout;

    /// <summary>Time from connection to ready; 0 for no limit. Default 30 s; 0 to 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan HandshakeTimeout { get; set; } = Engine.HandshakeTimeout;

    /// <summary>Most accepted connections that have not finished their handshake, per bound endpoint; one more closes the one that has been silent longest. Default 1,000; 1 to 1,000,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxHandshakes { get; set; } = Engine.MaxHandshakes;

    /// <summary>The same for those of one address; 0 for no limit. Default 250; 0 to 1,000,000.</summary>
    [Range(0, 1_000_000)]
    public int MaxHandshakesPerAddress { get; set; } = Engine.MaxHandshakesPerAddress;

    /// <summary>Time between PINGs to a peer; 0 turns heartbeats off. Default 10 s; 0 to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time without a byte after which a peer counts as lost. Default 30 s; above 0, at most 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00", MinimumIsExclusive = true)]
    public TimeSpan HeartbeatTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Time that peers are asked, with PING, to wait for a byte of ours; 0 for none. Default 0; 0 to 65.5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:05.500")]
    public TimeSpan HeartbeatTtl { get; set; }

    /// <summary>Length of the queue of a bound endpoint: connections that the system holds until they are accepted. Default 100; 1 to 65,535.</summary>
    [Range(1, 65535)]
    public int Backlog { get; set; } = Engine.Backlog;

    /// <summary>Kernel send buffer in bytes; 0 leaves it to the system. Default 0; 0 to 1 GiB.</summary>
    [Range(0, 1024 * 1024 * 1024)]
    public int SendBuffer { get; set; }

    /// <summary>Kernel receive buffer in bytes; 0 leaves it to the system. Default 0; 0 to 1 GiB.</summary>
    [Range(0, 1024 * 1024 * 1024)]
    public int ReceiveBuffer { get; set; }

    /// <summary>tcp: whether the system probes idle connections. Default: as the system is set up.</summary>
    public bool? TcpKeepAlive { get; set; }

    /// <summary>tcp: unanswered probes that end a connection; 0 leaves it to the system. Default 0; 0 to 127.</summary>
    [Range(0, 127)]
    public int TcpKeepAliveCount { get; set; }

    /// <summary>tcp: idle time before the first probe, in whole seconds; 0 leaves it to the system. Default 0; 0 to 9 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "09:00:00")]
    public TimeSpan TcpKeepAliveIdle { get; set; }

    /// <summary>tcp: time between probes, in whole seconds; 0 leaves it to the system. Default 0; 0 to 9 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "09:00:00")]
    public TimeSpan TcpKeepAliveInterval { get; set; }

    /// <summary>tcp: the type of service octet of outgoing packets. Default 0; 0 to 255.</summary>
    [Range(0, 255)]
    public int TypeOfService { get; set; }

    /// <summary>tcp, Linux: name of the network device that connections and bound endpoints keep to. Default: none.</summary>
    public string BindToDevice { get; set; } = "";

    /// <summary>tcp: whether <c>*</c> and names of interfaces stand for IPv6 addresses as well as IPv4 when binding. Default false.</summary>
    public bool IPv6 { get; set; }

    /// <summary>tcp: a SOCKS5 proxy to connect through, as <c>host:port</c>; it looks names up. Default: none.</summary>
    [Allowed("host:port")]
    public string SocksProxy { get; set; } = "";

    /// <summary>User name for the SOCKS5 proxy, up to 255 bytes as UTF-8. Default: none.</summary>
    public string SocksUserName { get; set; } = "";

    /// <summary>Password for the SOCKS5 proxy, up to 255 bytes as UTF-8. Default: none.</summary>
    public string SocksPassword { get; set; } = "";

    /// <summary>Identity announced to ROUTER peers, up to 255 bytes as UTF-8. Default: none.</summary>
    [Allowed("a text of up to 255 bytes as UTF-8, not beginning with a zero byte")]
    public string Identity { get; set; } = "";

    /// <summary>Keep only the last message of each peer's queue. Default false.</summary>
    public bool Conflate { get; set; }

    /// <summary>Send to ready peers only; false: an endpoint takes messages from the start on, up to the send high-water mark, and keeps them over reconnects. Default true.</summary>
    public bool Immediate { get; set; } = Engine.Immediate;

    /// <summary>Number requests and ignore replies to other ones. Default false.</summary>
    public bool ReqCorrelate { get; set; }

    /// <summary>A new request gives up the one that waits for its reply. Default false.</summary>
    public bool ReqRelaxed { get; set; }

    /// <summary>Send an empty message on each new connection, so that a ROUTER peer learns of us. Default false.</summary>
    public bool ProbeRouter { get; set; }

    /// <summary>Fail instead of dropping a message for a peer that is unknown or full. Default false.</summary>
    public bool RouterMandatory { get; set; }

    /// <summary>A new peer takes over the identity of one that has it, but never another user's. Default false: the new peer is refused.</summary>
    public bool RouterHandover { get; set; }

    /// <summary>Receive <c>[identity] []</c> when a peer comes (<c>Connect</c>) or goes (<c>Disconnect</c>). Default none.</summary>
    [Allowed("Connect, Disconnect")]
    public List<string> RouterNotify { get; set; } = [];

    /// <summary>Pass every subscription on, not only the first of a topic. Default false.</summary>
    public bool XPubVerbose { get; set; }

    /// <summary>Pass every subscription and every cancellation on. Default false.</summary>
    public bool XPubVerboser { get; set; }

    /// <summary>Refuse a message while a subscriber that wants it is full, instead of dropping it for that one. Default false.</summary>
    public bool XPubNoDrop { get; set; }

    /// <summary>A message of one frame that each new subscriber is sent first, as UTF-8. Default: none.</summary>
    public string WelcomeMessage { get; set; } = "";

    /// <summary>Deliver what does not match a subscription. Has to be set on both sides. Default false.</summary>
    public bool InvertMatching { get; set; }

    /// <summary>A message of one frame that is sent first on each new connection, as UTF-8. Default: none.</summary>
    public string HelloMessage { get; set; } = "";

    /// <summary>A message of one frame that is received when a peer that had connected is gone, as UTF-8. Default: none.</summary>
    public string DisconnectMessage { get; set; } = "";

    /// <summary>A message of one frame that is received when a connection to an endpoint was lost, as UTF-8. Default: none.</summary>
    public string HiccupMessage { get; set; } = "";

    /// <summary>Properties announced to peers, as <c>X-name:value</c>. Default: none; up to 1 KiB in all.</summary>
    [Allowed("X-name:value, names of letters, digits, '-', '_', '.' and '+', up to 1 KiB in all")]
    public List<string> Metadata { get; set; } = [];

    /// <summary>RADIO over udp: routers that a multicast datagram may pass; 0 keeps it on this machine. Default 1; 0 to 255.</summary>
    [Range(0, 255)]
    public int MulticastHops { get; set; } = Engine.MulticastHops;

    /// <summary>RADIO over udp: whether this machine hears its own multicast datagrams. Default true.</summary>
    public bool MulticastLoop { get; set; } = Engine.MulticastLoop;

    /// <summary>Longest topic that a subscriber may send, in bytes. Default 4 KiB; 1 to 64 KiB less the command's name.</summary>
    [Range(1, 16_000)]
    public int MaxTopicLength { get; set; } = Engine.MaxTopicLength;

    /// <summary>Most subscriptions of one peer. Default 100,000; 1 to 10,000,000.</summary>
    [Range(1, 10_000_000)]
    public int MaxSubscriptions { get; set; } = Engine.MaxSubscriptions;

    /// <summary>
    /// Most bytes of the topics that one peer subscribed to, 128 for each topic's own cost included. Default 16 MiB; 1 KiB to 2^40.
    /// </summary>
    [Range(typeof(long), "1024", "1099511627776")]
    public long MaxSubscriptionBytes { get; set; } = Engine.MaxSubscriptionBytes;

    /// <summary>Sets the options of a socket to these. What has no value here stays as it is there.</summary>
    public void ApplyTo(ZmtpOptions socket)
    {
        foreach (var setting in SettingDescription.Of(typeof(SocketOptions)))
        {
            if (setting.Property.GetValue(this) is not { } value) continue;
            // The names are the same on both sides; a test holds that.
            var property = typeof(ZmtpOptions).GetProperty(setting.Name)!;
            property.SetValue(socket, value switch
            {
                string text when property.PropertyType == typeof(byte[]) => Encoding.UTF8.GetBytes(text),
                List<string> entries when property.PropertyType.IsEnum => entries.Count == 0 ? Enum.ToObject(property.PropertyType, 0) : Enum.Parse(property.PropertyType, string.Join(',', entries), ignoreCase: true),
                List<string> entries => MetadataOf(entries),
                _ => value,
            });
        }
    }

    internal static Dictionary<string, byte[]> MetadataOf(IEnumerable<string> entries) =>
        entries.Select(entry => entry.Split(':', 2)).ToDictionary(parts => parts[0], parts => Encoding.UTF8.GetBytes(parts.ElementAtOrDefault(1) ?? ""), StringComparer.OrdinalIgnoreCase);
}
