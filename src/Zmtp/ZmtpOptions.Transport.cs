namespace Zmtp;

/// <content>What the transports take.</content>
public sealed partial class ZmtpOptions
{
    /// <summary>Length of a listener's queue. Default 100. (BACKLOG)</summary>
    public int Backlog { get; set; } = 100;

    /// <summary>Kernel send buffer in bytes. Default 0: the system's. (SNDBUF)</summary>
    public int SendBuffer { get; set; }

    /// <summary>Kernel receive buffer in bytes. Default 0: the system's. (RCVBUF)</summary>
    public int ReceiveBuffer { get; set; }

    /// <summary>udp, RADIO: routers that a multicast datagram may pass, 0 to 255. Default 1: it stays in the local network. (MULTICAST_HOPS)</summary>
    public int MulticastHops { get; set; } = 1;

    /// <summary>udp, RADIO: whether multicast datagrams also reach listeners on this machine. Default true. (MULTICAST_LOOP)</summary>
    public bool MulticastLoop { get; set; } = true;

    /// <summary>wss, server: the certificate, and what it was issued with, as PEM. Default empty: wss cannot be bound. (WSS_CERT_PEM)</summary>
    public string WssCertificatePem { get; set; } = "";

    /// <summary>wss, server: the certificate's private key as PEM, not encrypted. Default empty. (WSS_KEY_PEM)</summary>
    public string WssKeyPem { get; set; } = "";

    /// <summary>wss, client: certificates of the authorities to trust, as PEM. Default empty: those of the system. (WSS_TRUST_PEM)</summary>
    public string WssTrustPem { get; set; } = "";

    /// <summary>wss, client: whether the system's authorities are trusted too. Default null: only while <see cref="WssTrustPem"/> is empty. (WSS_TRUST_SYSTEM)</summary>
    public bool? WssTrustSystem { get; set; }

    /// <summary>wss, client: name that the server's certificate must have. Default empty: the endpoint's host. (WSS_HOSTNAME)</summary>
    public string WssHostName { get; set; } = "";

    /// <summary>The certificate, ready for use; made when wss is bound.</summary>
    internal System.Net.Security.SslStreamCertificateContext? WssServerCertificate { get; set; }

    /// <summary>tcp: whether the system probes idle connections. Default null: as the system is set up. (TCP_KEEPALIVE)</summary>
    public bool? TcpKeepAlive { get; set; }

    /// <summary>tcp: unanswered probes that end a connection. Default 0: the system's. (TCP_KEEPALIVE_CNT)</summary>
    public int TcpKeepAliveCount { get; set; }

    /// <summary>tcp: idle time before the first probe, in whole seconds. Default zero: the system's. (TCP_KEEPALIVE_IDLE)</summary>
    public TimeSpan TcpKeepAliveIdle { get; set; }

    /// <summary>tcp: time between probes, in whole seconds. Default zero: the system's. (TCP_KEEPALIVE_INTVL)</summary>
    public TimeSpan TcpKeepAliveInterval { get; set; }

    /// <summary>tcp: the type of service octet of outgoing packets, 0 to 255. Default 0. (TOS)</summary>
    public int TypeOfService { get; set; }

    /// <summary>tcp, Linux: name of the network device that connections and listeners are bound to. Default empty: none. (BINDTODEVICE)</summary>
    public string BindToDevice { get; set; } = "";

    /// <summary>
    /// tcp: whether <c>*</c> and the names of interfaces stand for IPv6 addresses as well as IPv4. Default false. IPv6 addresses that are
    /// written out, and names that are connected to, work either way. (IPV6)
    /// </summary>
    public bool IPv6 { get; set; }

    /// <summary>tcp: a SOCKS5 proxy to connect through, as <c>host:port</c>; it looks names up. Default empty: none. (SOCKS_PROXY)</summary>
    public string SocksProxy { get; set; } = "";

    /// <summary>User name for the SOCKS5 proxy, up to 255 bytes as UTF-8. Default empty: none. (SOCKS_USERNAME)</summary>
    public string SocksUserName { get; set; } = "";

    /// <summary>Password for the SOCKS5 proxy, up to 255 bytes as UTF-8. (SOCKS_PASSWORD)</summary>
    public string SocksPassword { get; set; } = "";

    /// <summary>Whether a text may be <see cref="SocksProxy"/>: host and port.</summary>
    public static bool IsSocksProxy(string text) => Transports.SocksProxy.TryParse(text) is not null;

    private void CheckTransport()
    {
        if (TypeOfService is < 0 or > byte.MaxValue) throw new ZmtpException($"TypeOfService is {TypeOfService}; allowed: 0 to 255.");
        if (BindToDevice.Length > 0 && !OperatingSystem.IsLinux()) throw new ZmtpException("BindToDevice needs Linux.");
        if (SocksProxy.Length > 0 && !IsSocksProxy(SocksProxy)) throw new ZmtpException($"SocksProxy is \"{SocksProxy}\"; allowed: host:port.");
        if (System.Text.Encoding.UTF8.GetByteCount(SocksUserName) > byte.MaxValue || System.Text.Encoding.UTF8.GetByteCount(SocksPassword) > byte.MaxValue)
            throw new ZmtpException("SocksUserName and SocksPassword have up to 255 bytes as UTF-8.");
    }
}
