namespace Gateway.Benchmarks.Load;

/// <summary>1 GiB down and up in one frame: Gateway beside Kestrel that streams the same bytes over a plain TCP socket.</summary>
internal static class LargeLoad
{
    private const long Bytes = 1L << 30;

    public static async Task RunAsync(NativePrograms programs, LoadOptions options)
    {
        var (source, ports) = await Child.StartAsync(programs, "large");
        await using var sourceLifetime = source;
        await using var gateway = await Server.StartGatewayAsync(programs, options, $$"""
            {
              "Backends": { "large": { "Socket": "REQ", "Connect": ["tcp://127.0.0.1:{{ports[0]}}"] } },
              "Routes": { "large": { "Path": "/large", "Backend": "large", "MaxBodySize": {{2 * Bytes}}, "Timeout": "00:01:00" } }
            }
            """);
        await using var kestrel = await Server.StartKestrelAsync(programs, options, ports[1]);

        var report = new Report();
        foreach (var way in new[] { "down", "up" })
        {
            var name = way == "down" ? "1 GiB reply" : "1 GiB upload";
            var speed = report.Add(name, "MB/s", new(0.7, AtLeast: true));
            var cpu = report.Add(name, "ms of CPU");
            var peak = report.Add(name, "MiB peak");
            await TransferAsync(programs, gateway, way, Bytes / 8);
            await TransferAsync(programs, kestrel, way, Bytes / 8);
            for (var round = 0; round < options.Rounds; round++)
            {
                var ours = await TransferAsync(programs, gateway, way, Bytes);
                var theirs = await TransferAsync(programs, kestrel, way, Bytes);
                speed.Gateway(ours.Speed);
                speed.Baseline(theirs.Speed);
                cpu.Gateway(ours.CpuMilliseconds);
                cpu.Baseline(theirs.CpuMilliseconds);
                peak.Gateway(ours.PeakMebibytes);
                peak.Baseline(theirs.PeakMebibytes);
            }
        }

        report.Print("Large frames (target for Gateway's peak: 100 MiB)", "Kestrel over TCP");
    }

    private static async Task<(double Speed, double CpuMilliseconds, double PeakMebibytes)> TransferAsync(
        NativePrograms programs, Server server, string way, long bytes)
    {
        ProcessUsage.ForgetPeak(server.Id);
        var before = ProcessUsage.CpuMicroseconds(server.Id);
        await using var transfer = await Child.StartOnLeashAsync(programs, [], programs.PathOf("transfer"), way, $"{server.Port}", "/large", $"{bytes}");
        var figures = await transfer.ReadFiguresAsync();
        return (
            figures["bytes"] / figures["seconds"] / 1e6,
            (ProcessUsage.CpuMicroseconds(server.Id) - before) / 1000,
            ProcessUsage.PeakResident(server.Id) / (1 << 20));
    }
}
