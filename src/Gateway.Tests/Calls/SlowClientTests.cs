using System.Net;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Calls;

public class SlowClientTests
{
    private const int Length = 20_000_000;
    private const int Piece = 256 * 1024;
    private static readonly byte[] Request = "POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"u8.ToArray();

    [Fact]
    public async Task A_client_that_reads_on_gets_a_large_reply_whole_however_long_it_takes()
    {
        var time = new ManualTimeProvider();
        await using var service = new RepSocket();
        await using var gateway = await StartAsync(time, new ListLoggerProvider(), service);
        using var client = new RawHttpClient(gateway.BaseAddress, receiveBuffer: 64 * 1024);
        await client.SendAsync(Request);
        await ReplyAsync(service, Length);
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
        var (buffer, received) = (new byte[Piece], 0);
        while (received < Length)
        {
            var before = received;
            while (received < Math.Min(before + Piece, Length) && await client.ReceiveAsync(buffer) is > 0 and var count) received += count;
            Assert.True(received > before, $"cut after {received} bytes");
            time.Advance(TimeSpan.FromSeconds(14));
        }

        Assert.Equal(Length, received);
    }

    [Fact]
    public async Task A_client_that_reads_no_more_is_cut_and_the_lane_serves_others()
    {
        var (time, log) = (new ManualTimeProvider(), new ListLoggerProvider());
        await using var service = new RepSocket();
        await using var gateway = await StartAsync(time, log, service);
        using var client = new RawHttpClient(gateway.BaseAddress, receiveBuffer: 64 * 1024);
        await client.SendAsync(Request);
        await ReplyAsync(service, Length);
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
        using var patience = new CancellationTokenSource(ScriptedPeer.Patience);
        while (!log.Lines.Any(line => line.Contains("client-stalled", StringComparison.Ordinal)))
        {
            time.Advance(TimeSpan.FromSeconds(3));
            await Task.Yield();
            patience.Token.ThrowIfCancellationRequested();
        }

        var calling = gateway.Client.PostAsync(new Uri("/call", UriKind.Relative), content: null);
        await ReplyAsync(service, 3);
        using var response = await calling.WaitAsync(ScriptedPeer.Patience);
        Assert.Equal((HttpStatusCode.OK, 3), (response.StatusCode, (await response.Content.ReadAsByteArrayAsync()).Length));
    }

    private static async Task ReplyAsync(RepSocket service, int length)
    {
        using var request = await service.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        service.Send(Message.Of(new byte[length]));
    }

    // The backend's own clock is the same one: no heartbeats, and one connection, so that the second call needs the first one's.
    private static Task<GatewayHost> StartAsync(TimeProvider time, ListLoggerProvider log, RepSocket service) => GatewayHost.StartAsync(
        services =>
        {
            log.Register(services);
            services.AddSingleton(time);
        },
        "Gateway:Backends:service:Socket=REQ", $"Gateway:Backends:service:Connect:0={service.Bind("tcp://127.0.0.1:*")}",
            "Gateway:Backends:service:MaxConnections=1",
        "Gateway:Backends:service:Options:HeartbeatInterval=00:00:00", "Gateway:Routes:call:Path=/call",
            "Gateway:Routes:call:Backend=service");
}
