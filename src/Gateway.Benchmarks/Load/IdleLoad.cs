namespace Gateway.Benchmarks.Load;

/// <summary>What a WebSocket costs that waits: Gateway beside Kestrel's own WebSockets.</summary>
internal static class IdleLoad
{
    private const int Clients = 10_000;

    public static async Task RunAsync(NativePrograms programs, LoadOptions options)
    {
        var (source, ports) = await Child.StartAsync(programs, "pub");
        await using var sourceLifetime = source;
        var report = new Report();
        var each = report.Add($"resident memory for each of {Clients:#,0}", "KiB");
        for (var round = 0; round < options.Rounds; round++)
        {
            // Fresh processes: memory that an earlier round has left would hide this one's.
            await using (var gateway = await Server.StartGatewayAsync(programs, options, StreamLoad.Configuration(ports[0])))
            {
                each.Gateway(await MeasureAsync(programs, gateway, "/stream"));
            }

            await using var kestrel = await Server.StartKestrelAsync(programs, options);
            each.Baseline(await MeasureAsync(programs, kestrel, "/idle"));
        }

        report.Print("Idle WebSockets (target for Gateway: 12 KiB each)", "Kestrel's WebSockets");
    }

    private static async Task<double> MeasureAsync(NativePrograms programs, Server server, string path)
    {
        // The first connections bring code and pools that serve all others.
        var (first, _) = await Child.StartAsync(programs, "swarm", $"{server.Port}", path, "100", "0");
        await using var firstLifetime = first;
        await Task.Delay(TimeSpan.FromSeconds(1));
        var before = ProcessUsage.Resident(server.Id);
        var (swarm, _) = await Child.StartAsync(programs, "swarm", $"{server.Port}", path, $"{Clients}", "0");
        await using var swarmLifetime = swarm;
        await Task.Delay(TimeSpan.FromSeconds(3));
        return (ProcessUsage.Resident(server.Id) - before) / Clients / 1024;
    }
}
