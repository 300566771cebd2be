using System.Diagnostics.Metrics;
using Zmtp.Proxies;

namespace Gateway.Devices;

/// <summary>What is measured of devices. Everything is counted anyway, and read when somebody asks.</summary>
internal sealed class DeviceMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Gateway.Devices";

    private DeviceRegistry? _devices;

    /// <summary>Makes the instruments.</summary>
    public DeviceMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        meter.CreateObservableCounter("gateway.device.messages", () => Ways(static way => way.Messages), "{message}", "Messages that a device took, by direction: in is from the frontend.");
        meter.CreateObservableCounter("gateway.device.bytes", () => Ways(static way => way.Bytes), "By", "Bytes of their frames.");
        meter.CreateObservableCounter("gateway.device.dropped_messages", () => Ways(static way => way.Dropped), "{message}", "Messages that the pattern dropped: unknown identity, full peer, subscriber at its high-water mark.");
        meter.CreateObservableCounter("gateway.device.lost_messages", () => Ways(static way => way.Lost), "{message}", "Messages lost with a connection, or at the end of the linger time.");
        meter.CreateObservableUpDownCounter("gateway.device.waiting_messages", () => Ways(static way => way.Waiting), "{message}", "Messages that wait for room on the other side.");
        meter.CreateObservableCounter("gateway.device.monitor_missed_messages", () => Devices(static device => device.Status.Totals.MonitorMissed), "{message}", "Messages that the monitor had no room for.");
        meter.CreateObservableCounter("gateway.device.restarts", () => Devices(static device => device.Restarts), "{restart}", "Starts after a failure.");
        meter.CreateObservableUpDownCounter("gateway.device.running", () => Devices(static device => device.Status.State is DeviceState.Running or DeviceState.Paused ? 1 : 0), "{device}", "Whether the device runs.");
    }

    /// <summary>Whose devices these are.</summary>
    public void Observe(DeviceRegistry devices) => _devices = devices;

    private IEnumerable<Measurement<long>> Ways(Func<ProxyTraffic, long> value)
    {
        foreach (var device in _devices?.All ?? [])
        {
            var totals = device.Status.Totals;
            yield return new(value(totals.In), Tag(device), new("gateway.direction", "in"));
            yield return new(value(totals.Out), Tag(device), new("gateway.direction", "out"));
        }
    }

    private IEnumerable<Measurement<long>> Devices(Func<Device, long> value) => (_devices?.All ?? []).Select(device => new Measurement<long>(value(device), Tag(device)));

    private static KeyValuePair<string, object?> Tag(Device device) => new("gateway.device", device.Name);
}
