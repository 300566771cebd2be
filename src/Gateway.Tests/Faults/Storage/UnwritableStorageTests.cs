using System.Globalization;
using System.Text;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Faults.Storage;

/// <summary>No temporary file can be made: the body that needs one is refused, and nothing else.</summary>
public class UnwritableStorageTests
{
    private const int Chunk = 64 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_body_that_cannot_be_held_back_is_a_507_and_its_connection_serves_on()
    {
        using var directory = new TemporaryDirectory();
        var address = new Uri($"http://127.0.0.1:{FreePort.Take(1)[0]}");
        string[] settings =
        [
            $"--urls={address.ToString().TrimEnd('/')}", "--Gateway:Backends:service:Socket=REQ",
            "--Gateway:Backends:service:Bind:0=inproc://nobody", "--Gateway:Routes:call:Path=/call",
                "--Gateway:Routes:call:Backend=service",
        ];
        await using var process = ShellCommand.Start(
            $"exec dotnet {Path.Combine(AppContext.BaseDirectory, "Gateway.dll")} {string.Join(' ', settings)}", directory.Path,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["TMPDIR"] = Path.Combine(directory.Path, "missing") });
        await process.ExpectAsync(["Now listening on"], Patience);

        using var client = new RawHttpClient(address);
        await client.SendAsync("POST /call HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (var i = 0; i < 32; i++)
        {
            await client.SendAsync(string.Create(CultureInfo.InvariantCulture, $"{Chunk:x}\r\n"));
            await client.SendAsync(Encoding.ASCII.GetBytes(new string('b', Chunk) + "\r\n"));
        }

        await client.SendAsync("0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 507 ", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
        Assert.Contains("\"code\":\"storage-full\"", await client.ReadUntilAsync("}"), StringComparison.Ordinal);
        await client.SendAsync("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.Contains("HTTP/1.1 200 ", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
    }
}
