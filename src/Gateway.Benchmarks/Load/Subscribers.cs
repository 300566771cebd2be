namespace Gateway.Benchmarks.Load;

/// <summary>A publisher, a server that fans out and a swarm of WebSocket clients: one side of a stream measurement.</summary>
/// <param name="Publisher">The PUB source that the server subscribes to.</param>
/// <param name="Server">Process of the server.</param>
/// <param name="Port">Its web port.</param>
internal sealed record Subscribers(Child Publisher, int Server, int Port)
{
    /// <summary>Connects clients, publishes for a second unmeasured and then for the time given.</summary>
    /// <param name="rate">Messages a second; 0 for as many as go.</param>
    /// <param name="topics">How many topics the messages go to in turn.</param>
    /// <param name="topicsEach">How many of them each client asks for; 0 for all.</param>
    public async Task<Sample> MeasureAsync(
        NativePrograms programs, int clients, int rate, int bytes, int topics, int topicsEach, double seconds)
    {
        var (swarm, _) = await Child.StartAsync(programs, "swarm", $"{Port}", "/stream", $"{clients}", $"{topicsEach}");
        await using var swarmLifetime = swarm;
        await Publisher.TellAsync($"start {rate} {bytes} {topics}");
        await Task.Delay(TimeSpan.FromSeconds(1));
        ProcessUsage.ForgetPeak(Server);
        var before = ProcessUsage.CpuMicroseconds(Server);
        await swarm.TellAsync("go");
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        await swarm.TellAsync("stop");
        var figures = await swarm.ReadFiguresAsync();
        var used = ProcessUsage.CpuMicroseconds(Server) - before;
        var peak = ProcessUsage.PeakResident(Server);
        await Publisher.TellAsync("stop");
        await Publisher.ReadFiguresAsync();
        if (figures["clients"] < clients) throw new LoadException($"{clients - figures["clients"]} of {clients} clients were closed.");
        if (figures["messages"] == 0) throw new LoadException($"No message reached the clients on port {Port}.");
        return new Sample(figures["messages"] / figures["seconds"], used / figures["messages"], figures["p50_us"], figures["p99_us"], peak / (1 << 20));
    }

    internal sealed record Sample(double Rate, double CpuMicroseconds, double P50, double P99, double PeakMebibytes);
}
