using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Zmtp;

namespace Gateway.Configuration;

/// <summary>What a socket's <see cref="TlsOptions"/> have to be, and how the socket gets them.</summary>
internal static class TlsRules
{
    private const string Scheme = "wss://";

    /// <summary>Everything that is wrong with them.</summary>
    /// <param name="path">Where they stand, such as <c>Gateway:Backends:jobs:Tls</c>.</param>
    public static IEnumerable<ConfigurationProblem> Check(string path, TlsOptions tls, IEnumerable<string> bind, IEnumerable<string> connect)
    {
        var (binds, connects) = (bind.Any(IsWss), connect.Any(IsWss));
        foreach (var problem in CheckApplies(path, tls, binds, connects)) yield return problem;
        if (binds && CheckServer(path, tls) is { } server) yield return server;
        if (connects && tls.TrustFile is { } trust && CheckTrust($"{path}:TrustFile", trust) is { } client) yield return client;
    }

    /// <summary>Gives them to a socket before it is made.</summary>
    /// <exception cref="ConfigurationException">A file has changed since the configuration was checked.</exception>
    public static void Apply(this TlsOptions tls, ZmtpOptions socket, string path)
    {
        try
        {
            if (tls.CertificateFile is { } certificate) socket.WssCertificatePem = File.ReadAllText(certificate);
            if (tls.KeyFile is { } key) socket.WssKeyPem = File.ReadAllText(key);
            if (tls.TrustFile is { } trust) socket.WssTrustPem = File.ReadAllText(trust);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path} names a file that {Secrets.WhyUnreadable(e)} any more.");
        }

        if (tls.TrustSystem) socket.WssTrustSystem = true;
        socket.WssHostName = tls.HostName ?? "";
    }

    private static bool IsWss(string endpoint) => endpoint.StartsWith(Scheme, StringComparison.Ordinal);

    private static IEnumerable<ConfigurationProblem> CheckApplies(string path, TlsOptions tls, bool binds, bool connects)
    {
        (bool IsGiven, bool Applies, string Name, string List)[] settings =
        [
            (tls.CertificateFile is not null, binds, nameof(tls.CertificateFile), "Bind"),
            (tls.KeyFile is not null, binds, nameof(tls.KeyFile), "Bind"),
            (tls.TrustFile is not null, connects, nameof(tls.TrustFile), "Connect"),
            (tls.TrustSystem, connects && tls.TrustFile is not null, nameof(tls.TrustSystem), "Connect and a TrustFile"),
            (tls.HostName is not null, connects, nameof(tls.HostName), "Connect"),
        ];
        return settings.Where(setting => setting.IsGiven && !setting.Applies)
            .Select(setting => new ConfigurationProblem($"{path}:{setting.Name}", $"does not apply without a wss:// endpoint in {setting.List}; leave it out."));
    }

    private static ConfigurationProblem? CheckServer(string path, TlsOptions tls)
    {
        if (tls.CertificateFile is null) return ConfigurationProblem.Missing($"{path}:CertificateFile", "a file with the certificate as PEM, which binding wss:// needs");
        if (tls.KeyFile is null) return ConfigurationProblem.Missing($"{path}:KeyFile", "a file with the certificate's private key as PEM, which binding wss:// needs");
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(tls.CertificateFile, tls.KeyFile);
            return null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            return ConfigurationProblem.File($"{path}:CertificateFile", e is CryptographicException
                ? "with that of KeyFile is no certificate and its key" : $"{Secrets.WhyUnreadable(e)}, or that of KeyFile", "both as PEM");
        }
    }

    private static ConfigurationProblem? CheckTrust(string path, string file)
    {
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(file);
            return authorities.Count > 0 ? null
                : ConfigurationProblem.File(path, "holds no certificate", "a file with at least one certificate as PEM");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            return ConfigurationProblem.File(path, e is CryptographicException ? "holds no certificate" : Secrets.WhyUnreadable(e),
                "a file with at least one certificate as PEM");
        }
    }
}
