namespace Gateway.Benchmarks.Load;

/// <summary>Each message matches one of many clients: its cost must not grow with those that do not match.</summary>
internal static class TopicLoad
{
    private const int TopicsEach = 10;
    private const int PacedRate = 20_000;

    public static async Task RunAsync(NativePrograms programs, LoadOptions options)
    {
        var (source, ports) = await Child.StartAsync(programs, "pub");
        await using var sourceLifetime = source;
        await using var gateway = await Server.StartGatewayAsync(programs, options, StreamLoad.Configuration(ports[0]));
        var subscribers = new Subscribers(source, gateway.Id, gateway.Port);

        var report = new Report();
        // Both columns are Gateway here: 1,000 clients beside 10, each with ten topics of its own.
        var cpu = report.Add($"{PacedRate:#,0} messages/s", "µs of CPU a message", new(1.5, AtLeast: false));
        var p99 = report.Add($"{PacedRate:#,0} messages/s", "µs p99");
        var saturated = report.Add("saturated", "messages/s");
        var saturatedCpu = report.Add("saturated", "µs of CPU a message");
        await subscribers.MeasureAsync(programs, 10, PacedRate, 100, 100, TopicsEach, 2);
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var clients in new[] { 1000, 10 })
            {
                var topics = clients * TopicsEach;
                var paced = await subscribers.MeasureAsync(programs, clients, PacedRate, 100, topics, TopicsEach, options.Seconds);
                var flood = await subscribers.MeasureAsync(programs, clients, 0, 100, topics, TopicsEach, options.Seconds);
                Action<Report.Row, double> add = clients == 1000 ? (row, figure) => row.Gateway(figure) : (row, figure) => row.Baseline(figure);
                add(cpu, paced.CpuMicroseconds);
                add(p99, paced.P99);
                add(saturated, flood.Rate);
                add(saturatedCpu, flood.CpuMicroseconds);
            }
        }

        report.Print("Topics: each message matches one client; 1,000 clients with 10,000 topics", "10 clients with 100 topics");
    }
}
