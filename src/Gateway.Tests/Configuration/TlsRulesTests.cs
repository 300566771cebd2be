using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Configuration;

public sealed class TlsRulesTests : IDisposable
{
    private const string Path = "Gateway:Backends:b:Tls";
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_backend_speaks_wss_bound_and_connected()
    {
        WriteCertificate();
        var port = FreePort.Take(1)[0];
        await using var bound = await GatewayHost.StartAsync(
            "Gateway:Backends:b:Socket=PUSH", $"Gateway:Backends:b:Bind:0=wss://127.0.0.1:{port}",
            $"{Path}:CertificateFile={_directory.File("cert.pem")}", $"{Path}:KeyFile={_directory.File("key.pem")}", "Gateway:Routes:r:Path=/r", "Gateway:Routes:r:Backend=b");
        await using var peer = new PullSocket(new ZmtpOptions { WssTrustPem = await File.ReadAllTextAsync(_directory.File("cert.pem")), WssHostName = "localhost" });
        peer.Connect($"wss://127.0.0.1:{port}");
        await using var service = new RepSocket(new ZmtpOptions { WssCertificatePem = await File.ReadAllTextAsync(_directory.File("cert.pem")), WssKeyPem = await File.ReadAllTextAsync(_directory.File("key.pem")) });
        await using var connected = await GatewayHost.StartAsync(
            "Gateway:Backends:b:Socket=REQ", $"Gateway:Backends:b:Connect:0={service.Bind("wss://127.0.0.1:*")}",
            $"{Path}:TrustFile={_directory.File("cert.pem")}", $"{Path}:HostName=localhost", "Gateway:Routes:r:Path=/r", "Gateway:Routes:r:Backend=b");

        Assert.Equal(HttpStatusCode.Accepted, (await bound.Client.PostAsync("/r", new StringContent("job"))).StatusCode);
        using (var job = await peer.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Assert.Equal("job", job.Text(0));
        var calling = connected.Client.PostAsync("/r", new StringContent("question"));
        using (var question = await service.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Assert.Equal("question", question.Text(0));
        service.Send(Message.Of("answer"));
        Assert.Equal("answer", await (await calling).Content.ReadAsStringAsync());
    }

    [Fact]
    public void Binding_wss_needs_a_certificate_and_its_key()
    {
        var bind = new[] { "wss://*:443" };
        Assert.Equal($"{Path}:CertificateFile is missing; allowed: a file with the certificate as PEM, which binding wss:// needs.", Only(new TlsOptions(), bind, []));
        Assert.Equal($"{Path}:KeyFile is missing; allowed: a file with the certificate's private key as PEM, which binding wss:// needs.", Only(new TlsOptions { CertificateFile = "c" }, bind, []));
        WriteCertificate();
        File.WriteAllText(_directory.File("other"), "nothing");
        Assert.StartsWith(
            $"{Path}:CertificateFile names a file that with that of KeyFile is no certificate and its key; ",
            Only(new TlsOptions { CertificateFile = _directory.File("cert.pem"), KeyFile = _directory.File("other") }, bind, []), StringComparison.Ordinal);
        Assert.Empty(TlsRules.Check(Path, new TlsOptions { CertificateFile = _directory.File("cert.pem"), KeyFile = _directory.File("key.pem") }, bind, []));
    }

    [Fact]
    public void The_authorities_to_trust_are_certificates()
    {
        File.WriteAllText(_directory.File("ca.pem"), "nothing");
        Assert.Equal(
            $"{Path}:TrustFile names a file that holds no certificate; allowed: a file with at least one certificate as PEM.",
            Only(new TlsOptions { TrustFile = _directory.File("ca.pem") }, [], ["wss://feed:443/"]));
        Assert.StartsWith(
            $"{Path}:TrustFile names a file that does not exist; ",
            Only(new TlsOptions { TrustFile = _directory.File("none") }, [], ["wss://feed:443/"]), StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_endpoint_uses_is_an_error()
    {
        var problems = TlsRules.Check(Path, new TlsOptions { KeyFile = "k", HostName = "h", TrustSystem = true }, ["ws://*:80"], ["wss://feed:443/"]).Select(problem => problem.ToString());
        Assert.Equal(
            [
                $"{Path}:KeyFile does not apply without a wss:// endpoint in Bind; leave it out.",
                $"{Path}:TrustSystem does not apply without a wss:// endpoint in Connect and a TrustFile; leave it out.",
            ],
            problems);
    }

    private static string Only(TlsOptions tls, string[] bind, string[] connect) => Assert.Single(TlsRules.Check(Path, tls, bind, connect)).ToString();

    private void WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(_directory.File("cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(_directory.File("key.pem"), key.ExportPkcs8PrivateKeyPem());
    }
}
