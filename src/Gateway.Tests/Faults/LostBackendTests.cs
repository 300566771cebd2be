using System.Diagnostics;
using System.Net;
using System.Text;
using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Xunit.Abstractions;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Faults;

/// <summary>Rows 31, 32 and 35 of docs/reliability.md: services that die, stall or are not there.</summary>
[Collection("Alone")]
public class LostBackendTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_service_killed_inside_a_large_reply_aborts_the_response_and_frees_its_place_at_once()
    {
        const int Announced = 1 << 20;
        using var listener = new ScriptedListener();
        // One connection and one place: who does not give it back leaves none to the next call.
        await using var gateway =
            await StartAsync($"service:Connect:0={listener.Endpoint}", "service:MaxConnections=1", "service:MaxInFlight=1",
            "service:ConnectWait=00:00:10");
        using var client = new RawHttpClient(gateway.BaseAddress);
        await client.SendAsync("POST /service HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        var first = await listener.AcceptAsync("REP");
        var request = await first.ReceiveMessageAsync();
        await first.SendAsync(ZmtpBytes.Frame(request[0], more: true), ZmtpBytes.Frame([], more: true), ZmtpBytes.LongHeader(0, Announced),
            new byte[Announced / 2]);
        Assert.Contains($"Content-Length: {Announced}\r\n", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
        first.Reset();
        var watch = Stopwatch.StartNew();
        Assert.InRange((await client.ReadToEndAsync()).Length, 0, Announced / 2);

        var next = AskWhenThereIsRoomAsync(gateway, watch);
        await using var second = await listener.AcceptAsync("REP");
        request = await second.ReceiveMessageAsync();
        await second.SendAsync(ZmtpBytes.Message(request[0], [], "here again"u8.ToArray()));
        using var response = await next.WaitAsync(Patience);
        Assert.Equal("here again", await response.Content.ReadAsStringAsync());
        output.WriteLine($"aborted, reconnected and answered {watch.Elapsed.TotalMilliseconds:0} ms after the kill");
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
    }

    [Fact]
    public async Task A_stalled_service_times_out_alone_and_its_late_replies_answer_nobody()
    {
        const int Stalled = 50;
        await using var stalling = new RouterSocket();
        await using var good = new RouterSocket();
        var (stallingAt, goodAt) = (stalling.Bind("tcp://127.0.0.1:*"), good.Bind("tcp://127.0.0.1:*"));
        using var stopping = new CancellationTokenSource();
        var echoing = EchoAsync(good, stopping.Token);
        await using var gateway = await StartAsync(
            $"service:Connect:0={stallingAt}", "service:Timeout=00:00:01", "service:Circuit:Failures=0", $"good:Connect:0={goodAt}");
        await using var honest = new HonestClient(async () => Assert.Equal("ping", await PostAsync(gateway, "/good", "ping")));

        var waiting = Enumerable.Range(0, Stalled)
            .Select(i => gateway.Client.PostAsync(new Uri("/service", UriKind.Relative), new StringContent($"stalled {i}"))).ToArray();
        List<Message> held = [];
        while (held.Count < Stalled) held.Add(await stalling.ReceiveAsync(stopping.Token).AsTask().WaitAsync(Patience));
        foreach (var response in await Task.WhenAll(waiting))
        {
            using (response) Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        }

        // It goes on where it stood: first everything that nobody waits for any more, then what is asked now.
        foreach (var late in held) stalling.Send(late);
        var recovered = Stopwatch.StartNew();
        var answering = EchoAsync(stalling, stopping.Token);
        for (var i = 0; i < Stalled; i++) Assert.Equal($"asked {i}", await PostAsync(gateway, "/service", $"asked {i}"));
        output.WriteLine($"{Stalled} calls after the stall took {recovered.Elapsed.TotalMilliseconds:0} ms");
        output.WriteLine(await honest.AssertServedAsync());
        await stopping.CancelAsync();
        await Task.WhenAll(echoing, answering);
    }

    [Fact]
    public async Task While_no_service_is_there_every_client_is_told_so_at_once()
    {
        const int Clients = 200;
        var port = FreePort.Take(1)[0];
        await using var gateway = await StartAsync($"service:Connect:0=tcp://127.0.0.1:{port}", "service:ConnectWait=00:00:00");
        var took = await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            var watch = Stopwatch.StartNew();
            using var response = await gateway.Client.PostAsync(new Uri("/service", UriKind.Relative), content: null);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            return watch.Elapsed;
        }));
        var (median, slowest) = (took.Order().ElementAt(Clients / 2), took.Max());
        output.WriteLine($"{Clients} clients: 503 after {median.TotalMilliseconds:0} ms (median), {slowest.TotalMilliseconds:0} ms (slowest)");
        Assert.InRange(took.Max().TotalSeconds, 0, 5);
    }

    [Fact]
    public async Task A_dead_endpoint_is_tried_with_growing_jittered_waits_for_as_long_as_it_takes()
    {
        var time = new ManualTimeProvider();
        var waits = Channel.CreateUnbounded<TimeSpan>();
        await using var socket = new PushSocket(new ZmtpOptions
        {
            Time = time, ConnectTimeout = TimeSpan.Zero, ReconnectMin = TimeSpan.FromMilliseconds(100),
                ReconnectMax = TimeSpan.FromSeconds(30),
            Events = happened =>
            {
                if (happened.Kind == SocketEventKind.Retrying) waits.Writer.TryWrite(happened.Delay);
            },
        });
        socket.Connect($"tcp://127.0.0.1:{FreePort.Take(1)[0]}");
        List<TimeSpan> seen = [];
        var bound = Stopwatch.StartNew();
        while (seen.Sum(wait => wait.TotalMinutes) < 10)
        {
            if (waits.Reader.TryRead(out var wait)) seen.Add(wait);
            else time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
            Assert.True(bound.Elapsed < Patience, $"after {seen.Count} attempts none came any more");
        }

        var first = string.Join(", ", seen.Take(12).Select(wait => $"{wait.TotalSeconds:0.00}"));
        output.WriteLine($"{seen.Count} attempts in 10 minutes: {first} …, at most {seen.Max().TotalSeconds:0.0} s");
        Assert.InRange(seen[0].TotalSeconds, 0.05, 0.2);
        Assert.InRange(seen.Max().TotalSeconds, 15, 30);
        Assert.InRange(seen.Count, 20, 2 * 600);
        Assert.True(seen.Skip(12).Distinct().Count() > 1,
            "the longest waits are all the same: endpoints that died together would be tried together");
    }

    /// <summary>
    /// The client learns that its response was cut before its place is free: who comes in between is told that there is none.
    /// </summary>
    private static async Task<HttpResponseMessage> AskWhenThereIsRoomAsync(GatewayHost gateway, Stopwatch sinceKill)
    {
        while (true)
        {
            var response = await gateway.Client.PostAsync(new Uri("/service", UriKind.Relative), content: null);
            if (response.StatusCode != HttpStatusCode.ServiceUnavailable || sinceKill.Elapsed > Patience) return response;
            response.Dispose();
        }
    }

    private static Task<GatewayHost> StartAsync(params string[] backends) => GatewayHost.StartAsync(
    [
        .. backends.Select(setting => $"Gateway:Backends:{setting}"),
        .. backends.Select(setting => setting[..setting.IndexOf(':', StringComparison.Ordinal)]).Distinct(StringComparer.Ordinal)
            .SelectMany(name => (string[])
            [$"Gateway:Backends:{name}:Socket=REQ", $"Gateway:Routes:{name}:Path=/{name}", $"Gateway:Routes:{name}:Backend={name}"]),
    ]);

    private static async Task<string> PostAsync(GatewayHost gateway, string path, string body)
    {
        using var response = await gateway.Client.PostAsync(new Uri(path, UriKind.Relative), new StringContent(body, Encoding.UTF8));
        return await response.Content.ReadAsStringAsync();
    }

    private static async Task EchoAsync(RouterSocket router, CancellationToken stopping)
    {
        try
        {
            while (true) router.Send(await router.ReceiveAsync(stopping));
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
