using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Gateway.Tests.TestSupport;
using Gateway.Tests.Zmtp.Proxies;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Devices;

/// <summary>A connection whose other half is gone without a word: the link is down, nothing is refused and nothing reset.</summary>
public class LostLinkTests
{
    private const double Interval = 0.5, Timeout = 1;

    [Fact]
    public async Task Heartbeats_find_a_link_that_is_down_and_the_connection_comes_back_with_it()
    {
        await using var network = await NetworkPair.TryCreateAsync();
        if (network is null)
        {
            // Without the right to make a link of our own, a peer that says nothing stands for it.
            await A_silent_peer_is_left_and_met_again();
            return;
        }

        using var directory = new TemporaryDirectory();
        await using var peer = await PeerProcess.StartInNetworkAsync(network.Far, "PULL", "bind", $"tcp://{network.FarAddress}:5555");
        await using var gateway = StartGateway(network.Near, directory, peer.Endpoint);
        using var client = Client(directory.File("web"));
        await ProxyTests.EventuallyAsync(() => File.Exists(directory.File("front")));
        await using var producer = new PushSocket();
        producer.Connect($"ipc://{directory.File("front")}");
        await producer.SendAsync(Message.Of("before"));
        Assert.StartsWith("got 6 ", await peer.NextLineAsync(), StringComparison.Ordinal);

        await network.SetLinkAsync(up: false);
        var down = Stopwatch.StartNew();
        await UntilAsync(client, static ready => !ready);
        // What the test's own questions and a busy machine take comes on top; TCP alone would take a quarter of an hour.
        Assert.InRange(down.Elapsed.TotalSeconds, 0, Interval + Timeout + 5);

        await network.SetLinkAsync(up: true);
        await UntilAsync(client, static ready => ready);
        await producer.SendAsync(Message.Of("after that"));
        Assert.StartsWith("got 10 ", await peer.NextLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silent_peer_is_left_and_met_again()
    {
        var time = new ManualTimeProvider();
        using var listener = new ScriptedListener();
        await using var socket = new PushSocket(new ZmtpOptions
        {
            Time = time, HeartbeatInterval = TimeSpan.FromSeconds(Interval), HeartbeatTimeout = TimeSpan.FromSeconds(Timeout),
            ReconnectMin = TimeSpan.FromMilliseconds(100), ReconnectMax = TimeSpan.FromMilliseconds(100),
        });
        socket.Connect(listener.Endpoint);
        await using var silent = await listener.AcceptAsync("PULL");
        await ProxyTests.UntilReadyAsync(socket);
        time.Advance(TimeSpan.FromSeconds(Interval + Timeout));
        await ProxyTests.EventuallyAsync(() => socket.Endpoints.Single().Phase == EndpointPhase.BackingOff);
        var accepting = listener.AcceptAsync("PULL");
        // The wait for the next attempt may begin a moment after the phase says so.
        await ProxyTests.EventuallyAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            return socket.Endpoints.Single().Phase != EndpointPhase.BackingOff;
        });
        await using var back = await accepting;
        await socket.SendAsync(Message.Of("after that"));
        Assert.Equal("after that"u8.ToArray(), (await back.ReceiveMessageAsync())[0]);
    }

    private static ShellCommand StartGateway(string network, TemporaryDirectory directory, string backend)
    {
        const string device = "--Gateway:Devices:work";
        return ShellCommand.Start(
            $"exec ip netns exec {network} dotnet {Path.Combine(AppContext.BaseDirectory, "Gateway.dll")} --urls=http://unix:{directory.File("web")} {device}:Type=Streamer " +
            $"{device}:Frontend:Bind:0=ipc://{directory.File("front")} {device}:Backend:Connect:0={backend} {device}:Backend:Options:HeartbeatInterval=00:00:00.5 " +
            $"{device}:Backend:Options:HeartbeatTimeout=00:00:01 {device}:Backend:Options:ConnectTimeout=00:00:01 {device}:Backend:Options:ReconnectMax=00:00:00.5",
            directory.Path, new Dictionary<string, string>());
    }

    /// <summary>The web port is a socket file, which both networks see.</summary>
    private static HttpClient Client(string file) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, stopping) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(file), stopping);
            return new NetworkStream(socket, ownsSocket: true);
        },
    }) { BaseAddress = new Uri("http://gateway") };

    private static async Task UntilAsync(HttpClient client, Predicate<bool> holds)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var turns = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        do
        {
            await turns.WaitForNextTickAsync(late.Token);
            using var device = JsonDocument.Parse(await client.GetStringAsync(new Uri("/gateway/devices/work", UriKind.Relative), late.Token));
            if (holds(device.RootElement.GetProperty("backend").GetProperty("peers").GetInt32() > 0)) return;
        }
        while (true);
    }
}
