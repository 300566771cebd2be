using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Gateway.Tests.TestSupport;
using Xunit.Abstractions;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Faults.Calls;

/// <summary>What `soak --calls` does for minutes, in small: a service that dies again and again under callers, uploads and uploads that break off.</summary>
[Collection("Alone")]
public sealed class CallChaosTests(ITestOutputHelper output)
{
    private const int Callers = 48;
    private const int Requests = 160;
    private const int UploadSize = 200_000;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);
    private readonly ConcurrentDictionary<string, int> _outcomes = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _wrong = new();
    private int _lives;

    [Fact]
    public async Task Every_200_carries_its_own_body_while_the_service_dies_and_uploads_break_off()
    {
        var endpoint = $"tcp://127.0.0.1:{FreePort.Take(1)[0]}";
        using var stopping = new CancellationTokenSource();
        var serving = ServeAsync(endpoint, stopping.Token);
        var log = new ListLoggerProvider();
        await using var gateway = await GatewayHost.StartAsync(
            log.Register, "Gateway:Backends:service:Socket=REQ", $"Gateway:Backends:service:Connect:0={endpoint}",
            "Gateway:Backends:service:Timeout=00:00:02", "Gateway:Routes:call:Path=/call", "Gateway:Routes:call:Backend=service",
            "Gateway:Routes:call:Methods:0=POST", "Gateway:Routes:call:Methods:1=PUT");
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => CallAsync(gateway, new Random(caller)))).WaitAsync(Bound);
        output.WriteLine($"{_lives} lives of the service; {string.Join(", ", _outcomes.OrderBy(static outcome => outcome.Key))}");
        await stopping.CancelAsync();
        await serving.WaitAsync(Bound);
        Assert.Empty(_wrong);
        // A client that breaks off leaves nothing behind that the web server stumbles over.
        Assert.DoesNotContain(log.Lines, static line => line.Contains("Reading is already in progress", StringComparison.Ordinal));
        Assert.True(_lives > 5, $"the service had {_lives} lives");
        Assert.True(_outcomes["OK"] > Callers * Requests / 4, $"too few calls were answered: {string.Join(", ", _outcomes)}");
        string[] expected = ["OK", nameof(HttpStatusCode.BadGateway), nameof(HttpStatusCode.ServiceUnavailable), nameof(HttpStatusCode.GatewayTimeout), "broken off"];
        Assert.All(_outcomes.Keys, outcome => Assert.Contains(outcome, expected));
    }

    private async Task CallAsync(GatewayHost gateway, Random random)
    {
        for (var i = 0; i < Requests; i++)
        {
            if (random.Next(20) == 0)
            {
                using var client = new RawHttpClient(gateway.BaseAddress);
                await client.SendAsync($"POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: {UploadSize}\r\n\r\n");
                await client.SendAsync(new byte[random.Next(UploadSize)]);
                Count("broken off");
                continue;
            }

            var body = Encoding.ASCII.GetBytes(Guid.NewGuid().ToString().PadRight(random.Next(10) == 0 ? UploadSize : 40, '.'));
            using var request = new HttpRequestMessage(random.Next(2) == 0 ? HttpMethod.Post : HttpMethod.Put, "/call") { Content = new ByteArrayContent(body) };
            try
            {
                using var response = await gateway.Client.SendAsync(request);
                var reply = await response.Content.ReadAsByteArrayAsync();
                Count(response.StatusCode.ToString());
                if (response.IsSuccessStatusCode && !reply.AsSpan().SequenceEqual(body))
                    _wrong.Enqueue($"asked {Encoding.ASCII.GetString(body, 0, 36)}, got {Encoding.ASCII.GetString(reply, 0, Math.Min(reply.Length, 36))}");
            }
            catch (HttpRequestException)
            {
                // A reply that had begun when the service died: the response ends early, and is no 200 for anybody.
                Count(nameof(HttpStatusCode.BadGateway));
            }
        }
    }

    private void Count(string outcome) => _outcomes.AddOrUpdate(outcome, 1, static (_, count) => count + 1);

    /// <summary>Echoes, and dies without a word after some hundred requests; the next life begins at once.</summary>
    private async Task ServeAsync(string endpoint, CancellationToken stopping)
    {
        var random = new Random(1);
        while (!stopping.IsCancellationRequested)
        {
            await using var service = new RouterSocket(new ZmtpOptions { Linger = TimeSpan.Zero, RouterMandatory = true });
            service.Bind(endpoint);
            _lives++;
            for (var left = random.Next(100, 400); left > 0; left--)
            {
                try
                {
                    using var request = await service.ReceiveAsync(stopping);
                    var reply = Message.Create();
                    for (var i = 0; i < request.Count; i++) reply.Add(request[i].Span);
                    await service.SendOrWaitAsync(reply, stopping);
                }
                catch (ZmtpUnreachableException)
                {
                    // The connection has gone with an upload that broke off.
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }
    }
}
