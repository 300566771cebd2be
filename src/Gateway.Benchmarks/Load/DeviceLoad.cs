using System.Globalization;
using System.Text.Json;

namespace Gateway.Benchmarks.Load;

/// <summary>A Queue beside libzmq's <c>zmq_proxy</c>: requests and replies of libzmq clients and services go through one or the other.</summary>
internal static class DeviceLoad
{
    private const string Configuration = """
        { "Devices": { "queue": { "Type": "Queue", "Frontend": { "Bind": ["tcp://127.0.0.1:*"] }, "Backend": { "Bind": ["tcp://127.0.0.1:*"] } } } }
        """;

    public static async Task RunAsync(NativePrograms programs, LoadOptions options)
    {
        await using var gateway = await Server.StartGatewayAsync(programs, options, Configuration);
        var ours = await PortsAsync(gateway.Port);
        var (proxy, theirs) = await Child.StartAsync(programs, "device", "proxy");
        await using var proxyLifetime = proxy;
        var report = new Report();
        foreach (var (size, window, name) in ((int, int, string)[])[(100, 256, "100 B"), (65_536, 16, "64 KiB")])
        {
            var rate = report.Add(name, "messages/s", new(0.8, AtLeast: true));
            var cpu = report.Add(name, "µs of CPU a message");
            await MeasureAsync(programs, gateway.Id, ours, size, window, 2);
            for (var round = 0; round < options.Rounds; round++)
            {
                var (ourRate, ourCpu) = await MeasureAsync(programs, gateway.Id, ours, size, window, options.Seconds);
                var (theirRate, theirCpu) = await MeasureAsync(programs, proxy.Id, theirs, size, window, options.Seconds);
                rate.Gateway(ourRate);
                rate.Baseline(theirRate);
                cpu.Gateway(ourCpu);
                cpu.Baseline(theirCpu);
            }
        }

        report.Print("Device: a Queue, 2 libzmq clients and 2 libzmq services; a request and its reply are two messages", "zmq_proxy");
    }

    private static async Task<(double Rate, double Cpu)> MeasureAsync(NativePrograms programs, int process, int[] ports, int size, int window, double seconds)
    {
        string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
        var (load, _) = await Child.StartAsync(programs, "device", "load", Text(ports[0]), Text(ports[1]), Text(size), Text(window));
        await using var lifetime = load;
        // The connections are new: the first moments are not the rate.
        await load.TellAsync("0.5");
        await load.ReadFiguresAsync();
        var before = ProcessUsage.CpuMicroseconds(process);
        await load.TellAsync(seconds.ToString(CultureInfo.InvariantCulture));
        var figures = await load.ReadFiguresAsync();
        var messages = 2 * figures["requests"];
        return (messages / figures["seconds"], (ProcessUsage.CpuMicroseconds(process) - before) / messages);
    }

    private static async Task<int[]> PortsAsync(int web)
    {
        using var client = new HttpClient();
        using var device = JsonDocument.Parse(await client.GetStringAsync(new Uri($"http://127.0.0.1:{web}/gateway/devices/queue")));
        return [.. ((string[])["frontend", "backend"]).Select(side => new Uri(device.RootElement.GetProperty(side).GetProperty("endpoints")[0].GetProperty("endpoint").GetString()!).Port)];
    }
}
