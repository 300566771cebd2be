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
}
