namespace Gateway.Configuration;

/// <summary>The section <c>Gateway</c>: named backends (sockets), routes (web endpoints onto backends) and devices (proxies between sockets).</summary>
public sealed class GatewayOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string SectionName = "Gateway";

    /// <summary>Sockets by name. Names: letters, digits, <c>-</c>, <c>_</c> and <c>.</c>, 1 to 64 characters, compared without case.</summary>
    public Dictionary<string, BackendOptions> Backends { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Web endpoints by name; same rules for names as <see cref="Backends"/>.</summary>
    public Dictionary<string, WebRouteOptions> Routes { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Devices by name: proxies between two sockets; same rules for names as <see cref="Backends"/>.</summary>
    public Dictionary<string, DeviceOptions> Devices { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Limits for what comes from the web.</summary>
    public LimitOptions Limits { get; set; } = new();
}
