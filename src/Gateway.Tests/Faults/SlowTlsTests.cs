using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Tests.TestSupport;
using Xunit.Abstractions;

namespace Gateway.Tests.Faults;

/// <summary>Row 2 of docs/reliability.md: TLS handshakes that never go on.</summary>
[Collection("Alone")]
public class SlowTlsTests(ITestOutputHelper output)
{
    private const int Connections = 200;

    [Fact]
    public async Task Unfinished_TLS_handshakes_are_closed_after_5_s_and_others_are_served()
    {
        using var directory = new TemporaryDirectory();
        var (certificate, key) = WriteCertificate(directory);
        await using var gateway = await FakeCaller.Replying("fine").StartWithAsync(
            ["urls=https://127.0.0.1:0", $"Kestrel:Certificates:Default:Path={certificate}",
                $"Kestrel:Certificates:Default:KeyPath={key}"]);
        using var root = X509CertificateLoader.LoadCertificateFromFile(certificate);
        using var handler = new SocketsHttpHandler();
        var trust = handler.SslOptions.CertificateChainPolicy =
            new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(root);
        using var client = new HttpClient(handler);
        await using var honest = new HonestClient(async () =>
        {
            using var response = await client.PostAsync(new Uri(gateway.BaseAddress, "/call"), content: null);
            Assert.Equal("fine", await response.Content.ReadAsStringAsync());
        });
        var lives = await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => HalfHelloAsync(gateway.BaseAddress)));
        output.WriteLine($"{Connections} closed after {lives.Min().TotalSeconds:0.0} to {lives.Max().TotalSeconds:0.0} s");
        output.WriteLine(await honest.AssertServedAsync());
        Assert.InRange(lives.Max().TotalSeconds, 4, 9);
    }

    private static async Task<TimeSpan> HalfHelloAsync(Uri address)
    {
        using var client = new RawHttpClient(address);
        var watch = Stopwatch.StartNew();
        // A record of 512 bytes is announced; its first bytes are those of a ClientHello.
        await client.SendAsync(Convert.FromHexString("160301020001000200"));
        await client.ReadToEndAsync();
        return watch.Elapsed;
    }

    private static (string Certificate, string Key) WriteCertificate(TemporaryDirectory directory)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var (certificateFile, keyFile) = (directory.File("certificate.pem"), directory.File("key.pem"));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return (certificateFile, keyFile);
    }
}
