using System.Text;
using Zmtp.Proxies;
using Zmtp.Wire;

namespace Gateway.Configuration;

/// <summary>The sockets that a device gets from its type and what is configured.</summary>
internal static class DeviceSockets
{
    private static readonly Dictionary<string, (SocketType Frontend, SocketType Backend)> Defaults = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Queue"] = (SocketType.Router, SocketType.Dealer),
        ["MonitoredQueue"] = (SocketType.Router, SocketType.Dealer),
        ["Forwarder"] = (SocketType.XSub, SocketType.XPub),
        ["Streamer"] = (SocketType.Pull, SocketType.Push),
    };

    /// <summary>Type of the frontend; None when neither the device's Type nor the side says one.</summary>
    public static SocketType Frontend(DeviceOptions device) => Parse(device.Frontend.Socket) ?? Defaults.GetValueOrDefault(device.Type).Frontend;

    /// <summary>Type of the backend; as the frontend's.</summary>
    public static SocketType Backend(DeviceOptions device) => Parse(device.Backend.Socket) ?? Defaults.GetValueOrDefault(device.Type).Backend;

    /// <summary>Type of the monitor.</summary>
    public static SocketType Monitor(DeviceOptions device) => Parse(device.Monitor.Socket) ?? SocketType.Pub;

    /// <summary>Type of the control socket.</summary>
    public static SocketType Control(DeviceOptions device) => Parse(device.Control.Socket) ?? SocketType.Pair;

    /// <summary>Sockets that a side of this Type may be; empty for any.</summary>
    public static IReadOnlyList<SocketType> Family(string type) => type.ToUpperInvariant() switch
    {
        "QUEUE" => [SocketType.Router, SocketType.Dealer],
        "FORWARDER" => [SocketType.XSub, SocketType.Sub, SocketType.XPub, SocketType.Pub, SocketType.Dish, SocketType.Radio],
        "STREAMER" => [SocketType.Pull, SocketType.Push, SocketType.Gather, SocketType.Scatter],
        _ => [],
    };

    /// <summary>What a SUB or XSUB asks for by itself.</summary>
    /// <param name="side">Its side.</param>
    /// <param name="own">Its type.</param>
    /// <param name="opposite">The other side's type.</param>
    public static IReadOnlyList<string> Subscriptions(DeviceSideOptions side, SocketType own, SocketType opposite)
    {
        if (own is not (SocketType.Sub or SocketType.XSub)) return [];
        if (side.Subscribe.Count > 0) return side.Subscribe;
        // An XPUB tells what is wanted; nobody else does.
        return opposite == SocketType.XPub ? [] : [""];
    }

    /// <summary>The prefixes at the monitor; null for none.</summary>
    public static (byte[]? In, byte[]? Out) Prefixes(DeviceOptions device)
    {
        var isMonitoredQueue = device.Type.Equals("MonitoredQueue", StringComparison.OrdinalIgnoreCase);
        return (Prefix(device.Monitor.In, isMonitoredQueue ? "in" : ""), Prefix(device.Monitor.Out, isMonitoredQueue ? "out" : ""));
    }

    /// <summary>Whether a side names an endpoint.</summary>
    public static bool HasEndpoint(DeviceSideOptions side) => side.Bind.Count + side.Connect.Count > 0;

    /// <summary>A type by its name or its old name; null for no name, None for one that is unknown.</summary>
    public static SocketType? Parse(string name) => name.ToUpperInvariant() switch
    {
        "" => null,
        "XREQ" => SocketType.Dealer,
        "XREP" => SocketType.Router,
        var known => SocketTypes.Parse(Encoding.ASCII.GetBytes(known)),
    };

    /// <summary>Names in a row, for messages.</summary>
    public static string Names(IEnumerable<SocketType> types) => string.Join(", ", types.Select(type => type.Name()));

    /// <summary>What is wrong with a pair; null when it is right.</summary>
    public static string? Problem(SocketType frontend, SocketType backend) => ProxyPairs.Problem(frontend, backend);

    private static byte[]? Prefix(string? given, string fallback) => (given ?? fallback) is { Length: > 0 } text ? Encoding.UTF8.GetBytes(text) : null;
}
