namespace Gateway.Configuration;

/// <summary>TLS of a socket's <c>wss://</c> endpoints. Files are read at the start, as PEM; relative paths begin at the working directory.</summary>
public sealed class TlsOptions
{
    /// <summary>To bind: a file with the certificate and, behind it, those of its issuers. Required for <c>wss://</c> in Bind.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>To bind: a file with the certificate's private key, not encrypted. Required for <c>wss://</c> in Bind.</summary>
    public string? KeyFile { get; set; }

    /// <summary>To connect: a file with the certificates of the authorities to trust. Default: those of the system.</summary>
    public string? TrustFile { get; set; }

    /// <summary>To connect: whether the system's authorities are trusted beside those of <see cref="TrustFile"/>. Default false.</summary>
    public bool TrustSystem { get; set; }

    /// <summary>To connect: name that the server's certificate must have. Default: the endpoint's host.</summary>
    public string? HostName { get; set; }
}
