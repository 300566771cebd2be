using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Gateway.Configuration;
using Gateway.Connections;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Connections;

public class ConnectionGateTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_connection_beyond_the_limit_is_closed_and_the_others_are_served_on()
    {
        await using var gateway = await GatewayHost.StartAsync("Gateway:Limits:MaxConnections=2");
        using var first = new RawHttpClient(gateway.BaseAddress);
        var second = new RawHttpClient(gateway.BaseAddress);
        await LiveAsync(first);
        await LiveAsync(second);
        using (var third = new RawHttpClient(gateway.BaseAddress)) Assert.Equal("", await third.ReadToEndAsync());
        await LiveAsync(first);
        second.Dispose();
        await UntilServedAsync(gateway.BaseAddress);
        await LiveAsync(first);
    }

    [Fact]
    public void Refusals_are_counted_and_said_every_ten_seconds_at_most()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var (clock, logger) = (new ManualTimeProvider(), new ListLogger<ConnectionGate>());
        var configuration = new GatewayConfiguration(
            new GatewaySnapshot(new GatewayOptions { Limits = { MaxConnections = 1 } }, isDemo: false));
        var gate = new ConnectionGate(configuration, new DescriptorLimit(limit: null), services.GetRequiredService<IMeterFactory>(), clock,
            logger);
        var refused = 0L;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, on) =>
            {
                if (instrument.Name == "gateway.connection.refused"
                    && instrument.Meter.Scope == services.GetRequiredService<IMeterFactory>()) on.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) => refused += tags[0] is { Key: "reason", Value: "limit" } ? count
            : 0);
        listener.Start();
        Assert.True(gate.TryEnter(socket: null));
        for (var i = 0; i < 5; i++) Assert.False(gate.TryEnter(socket: null));
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.False(gate.TryEnter(socket: null));
        Assert.Equal(
            [
                "Warning: 1 connections refused since this was said last, by Limits:MaxConnections; 1 are open",
                "Warning: 5 connections refused since this was said last, by Limits:MaxConnections; 1 are open",
            ],
            logger.Lines);
        Assert.Equal((6, 1), (refused, gate.Active));
        gate.Leave();
        Assert.True(gate.TryEnter(socket: null));
    }

    [Fact]
    public void A_socket_whose_descriptor_is_one_of_the_reserve_is_refused()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var (clock, logger) = (new ManualTimeProvider(), new ListLogger<ConnectionGate>());
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var descriptor = (int)socket.SafeHandle.DangerousGetHandle();
        var configuration = new GatewayConfiguration(new GatewaySnapshot(new GatewayOptions(), isDemo: false));
        Assert.False(Gate(descriptor + 96).TryEnter(socket));
        Assert.True(Gate((descriptor + 97) * 2).TryEnter(socket));

        ConnectionGate Gate(int limit) =>
            new(configuration, new DescriptorLimit(limit), services.GetRequiredService<IMeterFactory>(), clock, logger);
    }

    [Theory]
    [InlineData("Limit                     Soft Limit           Hard Limit           Units     \nMax open files            400                  500                  files     \n", 400)]
    [InlineData("Max open files            unlimited            unlimited            files     \n", null)]
    [InlineData("", null)]
    public void The_limit_is_read_as_the_system_writes_it(string limits, int? limit) => Assert.Equal(limit, DescriptorLimit.Parse(limits));

    [Theory]
    [InlineData(400, 100, 300)]
    [InlineData(256, 96, 160)]
    [InlineData(20_000, 2_048, 17_952)]
    [InlineData(50, 96, 1)]
    public void A_quarter_of_the_descriptors_is_kept(int limit, int reserve, int first)
    {
        var descriptors = new DescriptorLimit(limit);
        Assert.Equal((reserve, first), (descriptors.Reserve, descriptors.First));
    }

    [Fact]
    public async Task A_flood_of_connections_at_400_descriptors_ends_nothing_and_new_ones_are_served_after_it()
    {
        using var directory = new TemporaryDirectory();
        var address = new Uri($"http://127.0.0.1:{FreePort.Take(1)[0]}");
        await using var process = ShellCommand.Start(
            $"ulimit -n 400; exec dotnet {Path.Combine(AppContext.BaseDirectory, "Gateway.dll")} --urls={address.ToString().TrimEnd('/')}",
            directory.Path, new Dictionary<string, string>(StringComparer.Ordinal));
        await process.ExpectAsync(["Now listening on"], Patience);
        using var honest = new RawHttpClient(address);
        await LiveAsync(honest);
        var flood = new List<Socket>();
        try
        {
            for (var i = 0; i < 1_000; i++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                flood.Add(socket);
                await ConnectAsync(socket, address);
                if (i % 50 == 0) await LiveAsync(honest);
            }

            Assert.Equal(0, await EndOfAsync(flood[^1]));
            await LiveAsync(honest);
        }
        finally
        {
            flood.ForEach(socket => socket.Dispose());
        }

        await UntilServedAsync(address);
        await LiveAsync(honest);
    }

    private static async Task ConnectAsync(Socket socket, Uri address)
    {
        try
        {
            await socket.ConnectAsync(address.Host, address.Port).WaitAsync(Patience);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // Refused so fast that the reset came before the news of the connection.
            socket.Dispose();
        }
    }

    private static async Task<int> EndOfAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]).WaitAsync(Patience);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return 0;
        }
    }

    private static async Task LiveAsync(RawHttpClient client)
    {
        await client.SendAsync("GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.Contains("200 OK", await client.ReadUntilAsync("\"live\"}"), StringComparison.Ordinal);
    }

    /// <summary>A place is free when the server has seen the end of another connection, which nothing here tells of.</summary>
    private static async Task UntilServedAsync(Uri address)
    {
        using var late = new CancellationTokenSource(Patience);
        while (true)
        {
            late.Token.ThrowIfCancellationRequested();
            try
            {
                using var client = new RawHttpClient(address);
                await client.SendAsync("GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
                if ((await client.ReadUntilAsync("\"live\"}")).Contains("200 OK", StringComparison.Ordinal)) return;
            }
            catch (SocketException)
            {
                // Refused, and by its reset; the next one may be served.
                await Task.Yield();
            }
        }
    }
}
