namespace Gateway.Benchmarks.Load;

/// <summary>PUB to 1,000 WebSockets: Gateway beside a C program with one epoll loop and one shared buffer.</summary>
internal static class StreamLoad
{
    private const int Clients = 1000;

    // Saturated: about twice what any server here delivers to 1,000 clients, so that both sides drop.
    private static readonly (string Name, int Rate, int Bytes)[] Loads =
        [("30 messages/s", 30, 100), ("30 messages/s", 30, 16 * 1024), ("saturated", 120_000, 100), ("saturated", 1_000, 16 * 1024)];

    public static async Task RunAsync(NativePrograms programs, LoadOptions options)
    {
        var (gatewaySource, gatewayPorts) = await Child.StartAsync(programs, "pub");
        await using var gatewaySourceLifetime = gatewaySource;
        var (baselineSource, baselinePorts) = await Child.StartAsync(programs, "pub");
        await using var baselineSourceLifetime = baselineSource;
        await using var gateway = await Server.StartGatewayAsync(programs, options, Configuration(gatewayPorts[0]));
        var (broadcaster, broadcasterPorts) = await Child.StartAsync(programs, "broadcaster", $"{baselinePorts[0]}");
        await using var broadcasterLifetime = broadcaster;
        var ours = new Subscribers(gatewaySource, gateway.Id, gateway.Port);
        var theirs = new Subscribers(baselineSource, broadcaster.Id, broadcasterPorts[0]);

        var report = new Report();
        var rows = Loads.Select(load => Rows.Add(report, load.Name, load.Rate, load.Bytes)).ToArray();
        // Until the hot methods are compiled for good; not measured.
        await ours.MeasureAsync(programs, Clients, 5000, 100, 1, 0, 2);
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var row in rows)
            {
                row.Add(
                    await ours.MeasureAsync(programs, Clients, row.Published, row.Bytes, 1, 0, options.Seconds),
                    await theirs.MeasureAsync(programs, Clients, row.Published, row.Bytes, 1, 0, options.Seconds));
            }
        }

        report.Print($"Streams: PUB to {Clients:#,0} WebSockets", "C broadcaster");
    }

    public static string Configuration(int sourcePort) => $$"""
        {
          "Backends": { "source": { "Socket": "SUB", "Connect": ["tcp://127.0.0.1:{{sourcePort}}"] } },
          "Routes": { "stream": { "Path": "/stream/{topic?}", "Backend": "source" } }
        }
        """;

    private sealed record Rows(int Published, int Bytes, Report.Row Rate, Report.Row Cpu, Report.Row P50, Report.Row P99, Report.Row Peak)
    {
        public static Rows Add(Report report, string load, int published, int bytes)
        {
            var name = $"{(bytes < 1024 ? $"{bytes} B" : $"{bytes / 1024} KiB")}, {load}";
            var saturated = published > 30;
            return new Rows(
                published, bytes,
                report.Add(name, "deliveries/s", saturated ? new(0.9, AtLeast: true) : null),
                report.Add(name, "µs of CPU a delivery", saturated ? null : new(1.3, AtLeast: false)),
                report.Add(name, "µs p50"),
                report.Add(name, "µs p99"),
                report.Add(name, "MiB peak"));
        }

        public void Add(Subscribers.Sample ours, Subscribers.Sample theirs)
        {
            Rate.Gateway(ours.Rate);
            Cpu.Gateway(ours.CpuMicroseconds);
            P50.Gateway(ours.P50);
            P99.Gateway(ours.P99);
            Peak.Gateway(ours.PeakMebibytes);
            Rate.Baseline(theirs.Rate);
            Cpu.Baseline(theirs.CpuMicroseconds);
            P50.Baseline(theirs.P50);
            P99.Baseline(theirs.P99);
            Peak.Baseline(theirs.PeakMebibytes);
        }
    }
}
