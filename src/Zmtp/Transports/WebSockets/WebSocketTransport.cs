using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Zmtp.Security;

namespace Zmtp.Transports.WebSockets;

/// <summary>ws and wss: a connected TCP socket becomes a link that speaks ZWS 2.0.</summary>
internal static class WebSocketTransport
{
    /// <summary>Makes the link of a socket that was connected or accepted.</summary>
    /// <param name="bareOnly">Client: offer only the subprotocol without a mechanism, if it may be offered at all.</param>
    public static WebSocketLink Open(Socket socket, string remote, ZmtpEndpoint endpoint, ZmtpOptions options, bool isClient, bool bareOnly = false)
    {
        Link bytes = endpoint.Scheme == "wss"
            ? new TlsLink(socket, remote, (stream, cancellationToken) => isClient
                ? stream.AuthenticateAsClientAsync(ClientTls(endpoint, options), cancellationToken)
                : stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = options.WssServerCertificate }, cancellationToken))
            : new SocketLink(socket, remote);
        return new WebSocketLink(bytes, isClient, endpoint, options, bareOnly && MayBeBare(options) ? [WebSocketUpgrade.Bare] : Subprotocols(options));
    }

    /// <summary>Whether these options agree to the subprotocol without a mechanism.</summary>
    public static bool MayBeBare(ZmtpOptions options) => Subprotocols(options).Contains(WebSocketUpgrade.Bare);

    /// <summary>What a socket with these options may agree on. Bare has no handshake, so nobody could be asked about the peer: for NULL without a ZAP domain only.</summary>
    public static string[] Subprotocols(ZmtpOptions options)
    {
        using var mechanism = options.CreateMechanism(Wire.SocketType.Pair);
        return WebSocketUpgrade.Subprotocols(mechanism.Name, bare: mechanism is NullMechanism { Asks: false });
    }

    /// <summary>Reads the certificate that a wss listener shows.</summary>
    /// <exception cref="ZmtpException">There is none, or it cannot be read.</exception>
    public static SslStreamCertificateContext LoadCertificate(ZmtpOptions options)
    {
        if (options.WssCertificatePem.Length == 0 || options.WssKeyPem.Length == 0) throw new ZmtpException("Binding wss needs WssCertificatePem and WssKeyPem.");
        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPem(options.WssCertificatePem);
            // The first is the server's own; the others lead from it to an authority and are sent along.
            all.RemoveAt(0);
            return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(options.WssCertificatePem, options.WssKeyPem), all, offline: true);
        }
        catch (Exception e) when (e is System.Security.Cryptography.CryptographicException or ArgumentException)
        {
            throw new ZmtpException($"WssCertificatePem and WssKeyPem are no certificate and its key as PEM: {e.Message}", e);
        }
    }

    private static SslClientAuthenticationOptions ClientTls(ZmtpEndpoint endpoint, ZmtpOptions options)
    {
        var tls = new SslClientAuthenticationOptions { TargetHost = options.WssHostName.Length > 0 ? options.WssHostName : endpoint.Host };
        if (options.WssTrustPem.Length == 0) return tls;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(options.WssTrustPem);
        if (options.WssTrustSystem == true)
        {
            using var roots = new X509Store(StoreName.Root, StoreLocation.CurrentUser);
            roots.Open(OpenFlags.ReadOnly);
            policy.CustomTrustStore.AddRange(roots.Certificates);
            using var machine = new X509Store(StoreName.Root, StoreLocation.LocalMachine);
            machine.Open(OpenFlags.ReadOnly);
            policy.CustomTrustStore.AddRange(machine.Certificates);
        }

        tls.CertificateChainPolicy = policy;
        return tls;
    }
}
