using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Connections;

[Collection("Alone")]
public class TlsHandshakeTests
{
    [Theory]
    [InlineData("urls=https://127.0.0.1:0")]
    [InlineData("Kestrel:Endpoints:Web:Url=https://127.0.0.1:0")]
    public async Task A_ClientHello_that_does_not_finish_is_closed_after_5_s_while_others_are_served(string endpoint)
    {
        using var directory = new TemporaryDirectory();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllBytesAsync(directory.File("web.pfx"), certificate.Export(X509ContentType.Pfx, "secret"));
        await using var gateway = await GatewayHost.StartAsync(
            endpoint, $"Kestrel:Certificates:Default:Path={directory.File("web.pfx")}", "Kestrel:Certificates:Default:Password=secret");
        var start = Stopwatch.GetTimestamp();
        var silent = new List<Socket>();
        for (var i = 0; i < 200; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            silent.Add(socket);
            await socket.ConnectAsync(gateway.BaseAddress.Host, gateway.BaseAddress.Port);
            // A record of 512 bytes that holds a ClientHello, of which no more comes.
            await socket.SendAsync(new byte[] { 0x16, 3, 1, 2, 0, 1 });
        }

        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback =
            (_, remote, _, _) => remote!.GetCertHashString() == certificate.GetCertHashString();
        using var client = new HttpClient(handler) { BaseAddress = gateway.BaseAddress };
        Assert.Equal("""{"status":"live"}""", await client.GetStringAsync(new Uri("/health/live", UriKind.Relative)));
        await Task.WhenAll(silent.Select(EndAsync)).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.FromSeconds(4.5), TimeSpan.FromSeconds(7));
        Assert.Equal("""{"status":"live"}""", await client.GetStringAsync(new Uri("/health/live", UriKind.Relative)));
    }

    private static async Task EndAsync(Socket socket)
    {
        try
        {
            // An alert may come first.
            while (await socket.ReceiveAsync(new byte[64]) > 0) await Task.Yield();
        }
        catch (SocketException)
        {
            // Reset: it is closed as well.
            return;
        }
        finally
        {
            socket.Dispose();
        }
    }
}
