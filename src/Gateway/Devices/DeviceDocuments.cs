using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Telemetry;
using Zmtp.Proxies;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Devices;

/// <summary>Makes the documents.</summary>
internal static class DeviceDocuments
{
    public static DeviceDocument Of(Device device)
    {
        var status = device.Status;
        var (options, totals) = (device.Options, status.Totals);
        var monitor = DeviceSockets.HasEndpoint(options.Monitor) ? Side(DeviceSockets.Monitor(options), options.Monitor, status.Proxy?.Monitor) : null;
        return new DeviceDocument(
            device.Name, options.Type, Word(status.State), status.Since, status.LastError, status.NextTry, device.Restarts,
            Way(totals.In, status.Rates.In), Way(totals.Out, status.Rates.Out),
            Side(DeviceSockets.Frontend(options), options.Frontend, status.Proxy?.Frontend), Side(DeviceSockets.Backend(options), options.Backend, status.Proxy?.Backend),
            monitor is null ? null : new DeviceMonitorDocument(monitor.Socket, monitor.Peers, monitor.Endpoints, totals.MonitorMissed),
            DeviceSockets.HasEndpoint(options.Control) ? Side(DeviceSockets.Control(options), options.Control, status.Proxy?.Control) : null, device.Taps.Count);
    }

    public static DeviceHealth Health(Device device)
    {
        var status = device.Status;
        var isFailed = status.State == DeviceState.Failed;
        return new DeviceHealth(device.Options.Type, Word(status.State), !isFailed, isFailed ? status.LastError : null);
    }

    private static string Word(DeviceState state) => state.ToString().ToLowerInvariant();

    private static DeviceWayDocument Way(in ProxyTraffic way, double rate) => new(way.Messages, rate, way.Frames, way.Bytes, way.Dropped, way.Lost, way.Waiting);

    private static DeviceSideDocument Side(SocketType type, DeviceSideOptions options, ZmtpSocket? socket)
    {
        var states = socket?.Endpoints ?? [];
        // A peer of a bound endpoint is one of possibly thousands: they are counted.
        var endpoints = states.Where(state => state.Role != EndpointRole.Accepted).Select(EndpointWords.Describe).ToArray();
        if (socket is null)
        {
            endpoints = [.. options.Bind.Select(endpoint => Closed(endpoint, "bind")), .. options.Connect.Select(endpoint => Closed(endpoint, "connect"))];
        }

        return new DeviceSideDocument(type.Name(), states.Count(state => state.Phase == EndpointPhase.Ready), endpoints);
    }

    private static EndpointStatus Closed(string endpoint, string role) => new(endpoint, role, "closed", null, default, 0, 0, 0, 0);
}
