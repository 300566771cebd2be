using Gateway.Backends;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Backends;

public class LingerTests
{
    private const int Messages = 30;
    private static readonly byte[] Body = new byte[1_000_000];

    [Fact]
    public async Task What_was_answered_with_202_reaches_a_slow_worker_during_the_shutdown()
    {
        await using var worker = new PullSocket(new ZmtpOptions { ReceiveHighWaterMark = 1, ReceiveBuffer = 64 * 1024 });
        var (time, log) = (new ManualTimeProvider(), new ListLoggerProvider());
        await using var gateway = await StartAsync(worker.Bind("tcp://127.0.0.1:*"), log, time);
        await PostAsync(gateway);
        await gateway.StopAsync();
        // What the end of the service does; begun here, so that the clock moves on while it lingers.
        var stopping = ((IAsyncDisposable)gateway.Services.GetRequiredService<IBackendRegistry>()).DisposeAsync().AsTask();
        time.Advance(TimeSpan.FromSeconds(9));
        for (var i = 0; i < Messages; i++)
        {
            using var message = await worker.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal(Body.Length, message[0].Length);
        }

        await stopping.WaitAsync(ScriptedPeer.Patience);
        Assert.DoesNotContain(log.Lines, line => line.Contains("are lost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_no_worker_takes_within_Linger_is_counted_and_logged_once()
    {
        var log = new ListLoggerProvider();
        await using var worker = new PullSocket(new ZmtpOptions { ReceiveHighWaterMark = 1, ReceiveBuffer = 64 * 1024 });
        var gateway = await StartAsync(worker.Bind("tcp://127.0.0.1:*"), log, TimeProvider.System,
            "Gateway:Backends:jobs:Options:Linger=00:00:00.050");
        await PostAsync(gateway);
        await gateway.DisposeAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Single(log.Lines, line => line.Contains("Backend jobs: ", StringComparison.Ordinal)
            && line.Contains("are lost", StringComparison.Ordinal));
    }

    private static Task<GatewayHost> StartAsync(string endpoint, ListLoggerProvider log, TimeProvider time, params string[] settings) =>
        GatewayHost.StartAsync(
        services =>
        {
            log.Register(services);
            services.AddSingleton(time);
        },
        [
            "Gateway:Backends:jobs:Socket=PUSH", $"Gateway:Backends:jobs:Connect:0={endpoint}",
                "Gateway:Backends:jobs:ConnectWait=00:00:20",
            "Gateway:Backends:jobs:Options:SendBuffer=65536", "Gateway:Backends:jobs:Options:HeartbeatInterval=00:00:00",
                "Gateway:Backends:jobs:Options:SendHighWaterMarkBytes=0", "Gateway:Routes:jobs:Path=/jobs",
                "Gateway:Routes:jobs:Backend=jobs", .. settings,
        ]);

    private static async Task PostAsync(GatewayHost gateway)
    {
        for (var i = 0; i < Messages; i++)
        {
            using var answer = await gateway.Client.PostAsync(new Uri("/jobs", UriKind.Relative), new ByteArrayContent(Body));
            Assert.Equal(System.Net.HttpStatusCode.Accepted, answer.StatusCode);
        }
    }
}
