using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Faults.Transfers;

/// <summary>
/// Slow uploads, slow downloads and uploads that break off, beside honest calls: each of those is answered, with its own reply.
/// </summary>
[Collection("Alone")]
public sealed class TransferTests : IAsyncLifetime
{
    private const int UploadSize = 1024 * 1024;
    private const int DownloadSize = 8 * 1024 * 1024;
    private const int Honest = 60;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
    // Replies wait for room instead of being dropped.
    private readonly RouterSocket _service = new(new ZmtpOptions { RouterMandatory = true });
    private readonly CancellationTokenSource _stopping = new();
    private Task _serving = Task.CompletedTask;
    private GatewayHost _gateway = null!;

    public async Task InitializeAsync()
    {
        var endpoint = _service.Bind("tcp://127.0.0.1:*");
        _serving = Task.Run(ServeAsync);
        _gateway = await GatewayHost.StartAsync(
            "Gateway:Backends:service:Socket=REQ", $"Gateway:Backends:service:Connect:0={endpoint}",
                "Gateway:Backends:service:MaxConnections=4", "Gateway:Backends:service:Timeout=00:00:50",
            "Gateway:Routes:call:Path=/call", "Gateway:Routes:call:Backend=service", "Gateway:Routes:call:Methods:0=POST");
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _stopping.CancelAsync();
        await _service.DisposeAsync();
        await _serving.WaitAsync(Bound);
        _stopping.Dispose();
    }

    [Fact]
    public async Task Slow_uploads_leave_the_service_to_others_and_succeed_themselves()
    {
        var uploads = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => BeginUploadAsync()));
        await HonestCallsAsync();
        var answers = uploads.Select(static upload => FinishUploadAsync(upload)).ToArray();
        Assert.All(await Task.WhenAll(answers).WaitAsync(Bound), static answer =>
            Assert.Contains($"{UploadSize} bytes", answer, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Uploads_that_break_off_cost_nobody_else_a_call()
    {
        var honest = HonestCallsAsync();
        for (var i = 0; i < 40; i++)
        {
            using var client = await BeginUploadAsync();
        }

        await honest;
        await HonestCallsAsync();
    }

    [Fact]
    public async Task Slow_downloads_leave_the_service_to_others_and_succeed_themselves()
    {
        var clients = new List<RawHttpClient>();
        for (var i = 0; i < 12; i++)
        {
            var client = new RawHttpClient(_gateway.BaseAddress, receiveBuffer: 16 * 1024);
            await client.SendAsync($"POST /call HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n{LargeRequest}");
            clients.Add(client);
        }

        // All of them have begun to be answered, and none takes more than its head.
        foreach (var client in clients) Assert.Contains($"Content-Length: {DownloadSize}\r\n", await client.ReadUntilAsync("\r\n\r\n"),
            StringComparison.Ordinal);
        await HonestCallsAsync();
        Assert.All(await Task.WhenAll(clients.Select(ReadBodyAsync)).WaitAsync(Bound), static length => Assert.Equal(DownloadSize, length));
    }

    private const string LargeRequest = "send";

    private async Task<RawHttpClient> BeginUploadAsync()
    {
        var client = new RawHttpClient(_gateway.BaseAddress);
        await client.SendAsync($"POST /call HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {UploadSize}\r\n\r\n");
        await client.SendAsync(new byte[UploadSize / 4]);
        return client;
    }

    private static async Task<string> FinishUploadAsync(RawHttpClient client)
    {
        using (client)
        {
            await client.SendAsync(new byte[UploadSize - (UploadSize / 4)]);
            return await client.ReadToEndAsync();
        }
    }

    private static async Task<long> ReadBodyAsync(RawHttpClient client)
    {
        using (client)
        {
            var buffer = new byte[64 * 1024];
            var length = 0L;
            while (await client.ReceiveAsync(buffer) is > 0 and var read)
            {
                Assert.DoesNotContain(buffer.AsSpan(0, read).ToArray(), static octet => octet != (byte)'d');
                length += read;
            }

            return length;
        }
    }

    private async Task HonestCallsAsync()
    {
        for (var i = 0; i < Honest; i++)
        {
            var body = Guid.NewGuid().ToString();
            using var response = await _gateway.Client.PostAsync("/call", new StringContent(body)).WaitAsync(Bound);
            Assert.Equal($"re:{body}", await response.Content.ReadAsStringAsync());
        }
    }

    private async Task SendAsync(Message reply)
    {
        try
        {
            await _service.SendOrWaitAsync(reply, _stopping.Token);
        }
        catch (ZmtpUnreachableException)
        {
            // The connection has gone with an upload that broke off.
            reply.Dispose();
        }
    }

    private async Task ServeAsync()
    {
        var large = new byte[DownloadSize];
        Array.Fill(large, (byte)'d');
        try
        {
            while (true)
            {
                using var request = await _service.ReceiveAsync(_stopping.Token);
                var reply = Message.Create();
                for (var i = 0; i < 3; i++) reply.Add(request[i].Span);
                var body = request[3];
                if (body.Length >= UploadSize) reply.Add(Encoding.ASCII.GetBytes($"{body.Length} bytes"));
                else if (request.Text(3) == LargeRequest) reply.Add(large);
                else reply.Add(Encoding.ASCII.GetBytes($"re:{request.Text(3)}"));
                await SendAsync(reply);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
