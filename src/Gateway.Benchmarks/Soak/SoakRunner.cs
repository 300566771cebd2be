using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Gateway.Benchmarks.Load;

namespace Gateway.Benchmarks.Soak;

/// <summary>Runs the soak: the gateway, its services, its clients, and the accounts at the end.</summary>
internal sealed class SoakRunner(SoakOptions options)
{
    // Connections to services that opened while others carried large bodies stay, at most MaxConnections of them.
    private const int MoreDescriptors = 12;

    // Row 48 of docs/reliability.md asks for 1 MiB an hour over hours. Ten minutes of a collector that breathes do not show that; a leak
    // they do.
    private const double MostKibibytesAMinute = 2048;
    private const double LeastMinutesForSlope = 5;

    private readonly SoakAccounts _accounts = new();

    public static async Task<int> RunAsync(string[] args)
    {
        if (args is ["--help" or "-h", ..])
        {
            Console.WriteLine(SoakOptions.Usage);
            return 0;
        }

        if (SoakOptions.Parse(args, out var error) is not { } options)
        {
            await Console.Error.WriteLineAsync($"{error}\n{SoakOptions.Usage}");
            return 2;
        }

        try
        {
            return await new SoakRunner(options).RunAsync();
        }
        catch (LoadException failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return 1;
        }
    }

    private async Task<int> RunAsync()
    {
        var machine = $"{Environment.ProcessorCount} cores, .NET {Environment.Version}";
        Console.WriteLine($"soak: {options.Minutes} min, seed {options.Seed}, {machine}");
        var (echo, feed) = (FreePort(), FreePort());
        await using var gateway = await GatewayProcess.StartAsync(Configuration(echo, feed, extraRoute: false));
        var web = new UriBuilder("http", "127.0.0.1", gateway.Port);
        using var stopping = new CancellationTokenSource();
        var (service, serving) = Serve(router => router.Bind($"tcp://127.0.0.1:{echo}"), options.Seed, stopping);
        using var callers = new SoakCallers(web.Uri, _accounts, options.Seed);
        // Everything that the gateway makes once is made by the first calls.
        await callers.CheckAsync(50);
        var descriptors = gateway.Descriptors;
        Console.WriteLine($"descriptors: {gateway.DescriptorKinds}");

        using var ending = new CancellationTokenSource();
        List<Task> load = [callers.RunAsync(ending.Token), ReloadAsync(gateway, echo, feed, ending.Token)];
        EchoService? deviceService = null;
        List<Task> services = [serving];
        if (!options.CallsOnly)
        {
            web.Scheme = "ws";
            load.Add(new SoakStreams(new Uri(web.Uri, "/stream"), $"tcp://127.0.0.1:{feed}", _accounts, options.Seed)
                .RunAsync(ending.Token));
            var (frontend, backend) = await DevicePortsAsync(gateway.Port);
            (deviceService, var servingDevice) = Serve(router => router.Connect(backend), options.Seed + 1, stopping);
            services.Add(servingDevice);
            load.Add(new SoakDevice(frontend, _accounts, options.Seed).RunAsync(ending.Token));
        }

        var slope = await WatchAsync(gateway, TimeSpan.FromMinutes(options.Minutes), load);
        await ending.CancelAsync();
        await Task.WhenAll(load);
        await _restarting.CancelAsync();
        await RecoverAsync(gateway, callers);
        callers.Dispose();
        await CheckDescriptorsAsync(gateway, descriptors);
        await stopping.CancelAsync();
        await Task.WhenAll(services);
        _accounts.Count("restarts of the service", service.Restarts);
        if (deviceService is not null) _accounts.Count("restarts of the device's service", deviceService.Restarts);
        return Judge(gateway, slope);
    }

    private readonly CancellationTokenSource _restarting = new();

    private (EchoService Service, Task Running) Serve(Action<Zmtp.Sockets.RouterSocket> open, int seed, CancellationTokenSource stopping)
    {
        var service = new EchoService(open, new Random(seed));
        return (service, Task.Run(() => service.RunAsync(_restarting.Token, stopping.Token)));
    }

    /// <summary>Samples the memory until the time is over.</summary>
    /// <returns>KiB a minute after the first fifth, in which buffers and compiled code grow to their size.</returns>
    private async Task<double> WatchAsync(GatewayProcess gateway, TimeSpan time, List<Task> load)
    {
        List<(double Minutes, double Kibibytes)> samples = [];
        var watch = Stopwatch.StartNew();
        using var seconds = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (watch.Elapsed < time && await seconds.WaitForNextTickAsync())
        {
            if (gateway.HasExited) throw new LoadException(
                $"The gateway ended with {gateway.ExitCode}, seed {options.Seed}:\n{gateway.Log}");
            // What failed is a defect of this program; the rest of the time would be for nothing.
            if (load.Find(static task => task.IsFaulted) is { } failed) await failed;
            samples.Add((watch.Elapsed.TotalMinutes, gateway.Resident / 1024.0));
        }

        var most = samples.Max(sample => sample.Kibibytes);
        Console.WriteLine($"memory: {samples[0].Kibibytes:#,0} KiB at first, {most:#,0} at most, {samples[^1].Kibibytes:#,0} at last");
        return Slope([.. samples.Where(sample => sample.Minutes > time.TotalMinutes / 5)]);
    }

    private static double Slope(List<(double X, double Y)> points)
    {
        if (points.Count < 2) return 0;
        var (x, y) = (points.Average(point => point.X), points.Average(point => point.Y));
        return points.Sum(point => (point.X - x) * (point.Y - y)) / points.Sum(point => (point.X - x) * (point.X - x));
    }

    private async Task ReloadAsync(GatewayProcess gateway, int echo, int feed, CancellationToken ending)
    {
        for (var extra = true; !ending.IsCancellationRequested; extra = !extra)
        {
            gateway.Configure(Configuration(echo, feed, extra));
            _accounts.Count("reloads");
            await Task.Delay(TimeSpan.FromSeconds(3), ending)
                .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    /// <summary>Without faults every call has to be answered; the service may have to be found again first.</summary>
    private static async Task RecoverAsync(GatewayProcess gateway, SoakCallers callers)
    {
        using var client = new HttpClient();
        var health = new Uri($"http://127.0.0.1:{gateway.Port}/health/ready");
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromSeconds(40))
        {
            using var document = JsonDocument.Parse(await (await client.GetAsync(health)).Content.ReadAsStringAsync());
            if (document.RootElement.GetProperty("backends").GetProperty("echo").GetProperty("ready").GetBoolean()) break;
            await Task.Delay(100);
        }

        // An open circuit lets its probe through after a second.
        await Task.Delay(TimeSpan.FromSeconds(2));
        await callers.CheckAsync(200);
    }

    private async Task CheckDescriptorsAsync(GatewayProcess gateway, int before)
    {
        var watch = Stopwatch.StartNew();
        int now;
        while ((now = gateway.Descriptors) > before + MoreDescriptors && watch.Elapsed < TimeSpan.FromSeconds(30)) await Task.Delay(100);
        Console.WriteLine($"descriptors: {before} before, {now} after: {gateway.DescriptorKinds}");
        if (now > before + MoreDescriptors) _accounts.Wrong("descriptors", $"{now - before} more than at the start");
    }

    private int Judge(GatewayProcess gateway, double slope)
    {
        var judged = options.Minutes >= LeastMinutesForSlope;
        Console.WriteLine($"memory slope: {slope:#,0} KiB/min after the first fifth{(judged ? "" : ", not judged under 5 minutes")}");
        if (judged && slope > MostKibibytesAMinute) _accounts.Wrong("memory",
            $"{slope:#,0} KiB/min, at most {MostKibibytesAMinute:#,0} are allowed");
        _accounts.Print();
        if (_accounts["bodies compared"] == 0) _accounts.Wrong("bodies", "none was compared");
        if (!_accounts.IsWrong)
        {
            Console.WriteLine("All accounts are right.");
            return 0;
        }

        Console.WriteLine($"Seed {options.Seed}. The gateway's last words:\n{gateway.Log}");
        return 1;
    }

    private string Configuration(int echo, int feed, bool extraRoute)
    {
        var extra = extraRoute ? """, "extra": { "Path": "/extra", "Backend": "echo" }""" : "";
        var streams = options.CallsOnly ? ("", "", "") : (
            $$""", "feed": { "Socket": "SUB", "Connect": ["tcp://127.0.0.1:{{feed}}"], "Options": { "ReconnectMax": "00:00:00.5" } }""",
            """, "stream": { "Path": "/stream", "Backend": "feed", "Subscribers": { "Policy": "Disconnect" } }""",
            """, "Devices": { "queue": { "Type": "Queue", "Frontend": { "Bind": ["tcp://127.0.0.1:*"] }, "Backend": { "Bind": ["tcp://127.0.0.1:*"] } } }""");
        return $$"""
            {
              "Backends": {
                "echo": { "Socket": "REQ", "Connect": ["tcp://127.0.0.1:{{echo}}"], "Timeout": "{{SoakCallers.RouteTimeout}}", "ConnectWait": "00:00:00.3",
                          "Circuit": { "Break": "00:00:01" }, "Options": { "ReconnectMax": "00:00:00.5" } }{{streams.Item1}}
              },
              "Routes": { "call": { "Path": "/call", "Backend": "echo", "Methods": ["POST", "PUT"] },
                          "quick": { "Path": "/quick", "Backend": "echo", "Timeout": "{{SoakCallers.QuickTimeout}}" }{{streams.Item2}}{{extra}} }{{streams.Item3}}
            }
            """;
    }

    private static async Task<(string Frontend, string Backend)> DevicePortsAsync(int web)
    {
        using var client = new HttpClient();
        using var device = JsonDocument.Parse(await client.GetStringAsync(new Uri($"http://127.0.0.1:{web}/gateway/devices/queue")));
        string Endpoint(string side) =>
            device.RootElement.GetProperty(side).GetProperty("endpoints")[0].GetProperty("endpoint").GetString()!;
        return (Endpoint("frontend"), Endpoint("backend"));
    }

    /// <summary>The services come back at the same port, so it is chosen here.</summary>
    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
