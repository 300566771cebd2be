using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Gateway.Benchmarks.Load;

namespace Gateway.Benchmarks.Soak;

/// <summary>
/// The gateway as users run it: its own process and a configuration file, which may change. Killed when this object goes.
/// </summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-soak-");
    private readonly Queue<string> _log = new();
    private readonly TaskCompletionSource<int> _port = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;

    private GatewayProcess(string configuration)
    {
        Configure(configuration);
        var folder = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!;
        var start = new ProcessStartInfo("dotnet", [Path.Combine(folder, "Gateway.dll"), "--config", File, "--urls", "http://127.0.0.1:0"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput), ReadAsync(_process.StandardError));
    }

    public int Port { get; private set; }

    public bool HasExited => _process.HasExited;

    /// <summary>Once it has exited.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>Open descriptors but those of loaded code, which come as methods are first called and stay.</summary>
    public int Descriptors => Targets().Count();

    /// <summary>The same by what they are: sockets, pipes, files.</summary>
    public string DescriptorKinds => string.Join(", ", Targets()
        .GroupBy(static target => target.Contains(':', StringComparison.Ordinal) ? target[..target.IndexOf(':', StringComparison.Ordinal)]
            : "file")
        .Select(static kind => $"{kind.Count()} {kind.Key}").Order(StringComparer.Ordinal));

    /// <summary>Resident memory in bytes.</summary>
    public long Resident
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>The last lines of its log.</summary>
    public string Log
    {
        get
        {
            lock (_log) return string.Join('\n', _log);
        }
    }

    private string File => Path.Combine(_folder.FullName, "gateway.json");

    public static async Task<GatewayProcess> StartAsync(string configuration)
    {
        var gateway = new GatewayProcess(configuration);
        try
        {
            gateway.Port = await gateway._port.Task.WaitAsync(TimeSpan.FromSeconds(60));
            return gateway;
        }
        catch (TimeoutException)
        {
            var log = gateway.Log;
            await gateway.DisposeAsync();
            throw new LoadException($"The gateway did not start:\n{log}");
        }
    }

    /// <summary>Writes the configuration file, which the running gateway reads again.</summary>
    public void Configure(string configuration) => System.IO.File.WriteAllText(File, $$"""{ "Gateway": {{configuration}} }""");

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    // One that is closed while we look has no target any more.
    private IEnumerable<string> Targets() => new DirectoryInfo($"/proc/{_process.Id}/fd").GetFileSystemInfos()
        .Select(static entry => entry.LinkTarget).OfType<string>()
            .Where(static target => !target.EndsWith(".dll", StringComparison.Ordinal));

    private async Task ReadAsync(StreamReader reader)
    {
        const string Listening = "Now listening on: http://127.0.0.1:";
        while (await reader.ReadLineAsync() is { } line)
        {
            var at = line.IndexOf(Listening, StringComparison.Ordinal);
            if (at >= 0) _port.TrySetResult(
                int.Parse([.. line[(at + Listening.Length)..].TakeWhile(char.IsAsciiDigit)], CultureInfo.InvariantCulture));
            lock (_log)
            {
                _log.Enqueue(line);
                if (_log.Count > 40) _log.Dequeue();
            }
        }
    }
}
