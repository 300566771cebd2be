using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Gateway.Configuration;
using Gateway.Telemetry;

namespace Gateway.Devices;

/// <summary>The configured devices: started with the gateway, drained at its end, and those that a reload changed made anew.</summary>
internal sealed class DeviceRegistry : IHostedService, IDeviceHealth, IAsyncDisposable
{
    private static readonly TimeSpan SamplePeriod = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Device> _devices = new(StringComparer.OrdinalIgnoreCase);
    private readonly GatewayConfiguration _configuration;
    private readonly DeviceSocketFactory _factory;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly ITimer _sampling;
    private readonly Lock _gate = new();
    private IDisposable? _listening;
    private Task _changing = Task.CompletedTask;

    public DeviceRegistry(GatewayConfiguration configuration, DeviceSocketFactory factory, DeviceMetrics metrics, ILoggerFactory loggers, TimeProvider time)
    {
        (_configuration, _factory, _loggers, _time) = (configuration, factory, loggers, time);
        _sampling = time.CreateTimer(static registry => ((DeviceRegistry)registry!).Sample(), this, SamplePeriod, SamplePeriod);
        metrics.Observe(this);
    }

    /// <summary>Random numbers from 0 to 1 that spread restarts.</summary>
    public Func<double> Jitter { get; init; } = Random.Shared.NextDouble;

    /// <summary>All devices by name, in order.</summary>
    public IEnumerable<Device> All => _devices.Values.OrderBy(device => device.Name, StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, DeviceHealth> Health => All.ToDictionary(device => device.Name, DeviceDocuments.Health, StringComparer.OrdinalIgnoreCase);

    public bool TryGet(string name, [MaybeNullWhen(false)] out Device device) => _devices.TryGetValue(name, out device);

    /// <inheritdoc/>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _listening = _configuration.OnChange(snapshot => _ = Later(() => ChangeAsync(snapshot)));
        await Later(() => ChangeAsync(_configuration.Current));
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _listening?.Dispose();
        await Later(() => Task.WhenAll(_devices.Values.Select(device => device.StopAsync()))).WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Registered under several types, it is disposed once for each.
        _listening?.Dispose();
        await _sampling.DisposeAsync();
        await Later(() => Task.CompletedTask);
        foreach (var device in _devices.Values) await device.DisposeAsync();
    }

    /// <summary>One change after the other.</summary>
    private Task Later(Func<Task> change)
    {
        lock (_gate)
        {
            return _changing = RunAsync(_changing, change);
        }

        static async Task RunAsync(Task before, Func<Task> change)
        {
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await change();
        }
    }

    private async Task ChangeAsync(GatewaySnapshot snapshot)
    {
        foreach (var (name, device) in _devices)
        {
            if (snapshot.Devices.TryGetValue(name, out var options) && Text(options) == Text(device.Options)) continue;
            _devices.TryRemove(name, out _);
            await device.DisposeAsync();
        }

        foreach (var (name, options) in snapshot.Devices)
        {
            if (_devices.ContainsKey(name)) continue;
            var device = new Device(name, options, _factory, new DeviceLog(name, _loggers.CreateLogger("Gateway.Devices")), _time, Jitter);
            _devices[name] = device;
            await device.StartAsync();
        }
    }

    private void Sample()
    {
        foreach (var device in _devices.Values) device.Sample();
    }

    private static string Text(DeviceOptions options) => JsonSerializer.Serialize(options);
}
