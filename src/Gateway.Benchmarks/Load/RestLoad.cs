using System.Globalization;

namespace Gateway.Benchmarks.Load;

/// <summary>REST echo: Gateway in front of a libzmq REP service beside Kestrel that answers by itself.</summary>
internal static class RestLoad
{
    private static readonly int[] Connections = [1, 32, 256];

    public static async Task RunAsync(NativePrograms programs, LoadOptions options)
    {
        var (echo, ports) = await Child.StartAsync(programs, "echo");
        await using var echoLifetime = echo;
        await using var gateway = await Server.StartGatewayAsync(programs, options, $$"""
            {
              "Backends": { "echo": { "Socket": "REQ", "Connect": ["tcp://127.0.0.1:{{ports[0]}}"] } },
              "Routes": { "echo": { "Path": "/echo", "Backend": "echo" } }
            }
            """);
        await using var kestrel = await Server.StartKestrelAsync(programs, options);

        var report = new Report();
        var rows = (from bytes in new[] { 100, 16 * 1024 } from connections in Connections select Rows.Add(report, bytes, connections)).ToArray();
        // Until the hot methods are compiled for good; not measured.
        foreach (var server in new[] { gateway, kestrel }) await WrkAsync(programs, server, 100, 32, 3);
        ProcessUsage.ForgetPeak(gateway.Id);
        ProcessUsage.ForgetPeak(kestrel.Id);
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var row in rows)
            {
                row.Gateway(await WrkAsync(programs, gateway, row.Bytes, row.Connections, options.Seconds));
                row.Baseline(await WrkAsync(programs, kestrel, row.Bytes, row.Connections, options.Seconds));
            }
        }

        var peak = report.Add("peak memory over all of it", "MiB");
        peak.Gateway(ProcessUsage.PeakResident(gateway.Id) / (1 << 20));
        peak.Baseline(ProcessUsage.PeakResident(kestrel.Id) / (1 << 20));
        report.Print("REST: POST to a REP service and back", "Kestrel alone");
    }

    private static async Task<Sample> WrkAsync(NativePrograms programs, Server server, int bytes, int connections, double seconds)
    {
        var before = ProcessUsage.CpuMicroseconds(server.Id);
        await using var wrk = await Child.StartOnLeashAsync(
            programs, [new("BODY_BYTES", bytes.ToString(CultureInfo.InvariantCulture))], "wrk", "--latency",
            $"-t{Math.Min(connections, 2)}", $"-c{connections}", $"-d{Math.Ceiling(seconds)}", "-s", Path.Combine(NativePrograms.Sources, "post.lua"),
            $"http://127.0.0.1:{server.Port}/echo");
        // wrk's own report comes first, then the line of post.lua.
        string line;
        do line = await wrk.ReadLineAsync();
        while (!line.StartsWith("requests ", StringComparison.Ordinal));
        var words = line.Split(' ');
        double Figure(int index) => double.Parse(words[index], CultureInfo.InvariantCulture);
        if (Figure(9) > 0) throw new LoadException($"wrk: {words[9]} errors of {words[1]} requests at {connections} connections.");
        var used = ProcessUsage.CpuMicroseconds(server.Id) - before;
        return new Sample(Figure(1) / Figure(3), used / Figure(1), Figure(5), Figure(7));
    }

    private sealed record Sample(double Rate, double CpuMicroseconds, double P50, double P99);

    private sealed record Rows(int Bytes, int Connections, Report.Row Rate, Report.Row Cpu, Report.Row P50, Report.Row P99)
    {
        public static Rows Add(Report report, int bytes, int connections)
        {
            var name = $"{(bytes < 1024 ? $"{bytes} B" : $"{bytes / 1024} KiB")}, {connections} connection{(connections == 1 ? "" : "s")}";
            double? rate = (bytes, connections) switch { (100, 1) => 0.33, (100, _) => 0.85, (_, > 1) => 0.5, _ => null };
            return new Rows(
                bytes, connections,
                report.Add(name, "requests/s", rate is { } least ? new(least, AtLeast: true) : null),
                report.Add(name, "µs of CPU a request", bytes == 100 && connections > 1 ? new(1.2, AtLeast: false) : null),
                report.Add(name, "µs p50"),
                report.Add(name, "µs p99"));
        }

        public void Gateway(Sample sample)
        {
            Rate.Gateway(sample.Rate);
            Cpu.Gateway(sample.CpuMicroseconds);
            P50.Gateway(sample.P50);
            P99.Gateway(sample.P99);
        }

        public void Baseline(Sample sample)
        {
            Rate.Baseline(sample.Rate);
            Cpu.Baseline(sample.CpuMicroseconds);
            P50.Baseline(sample.P50);
            P99.Baseline(sample.P99);
        }
    }
}
