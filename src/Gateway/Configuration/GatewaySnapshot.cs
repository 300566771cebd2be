using System.Collections.Frozen;

namespace Gateway.Configuration;

/// <summary>A valid configuration as running code sees it: read once, changed never; a reload makes another one.</summary>
internal sealed class GatewaySnapshot(GatewayOptions options, bool isDemo)
{
    /// <summary>Backends by name, compared without case.</summary>
    public FrozenDictionary<string, BackendOptions> Backends { get; } = options.Backends.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Routes by name, compared without case.</summary>
    public FrozenDictionary<string, WebRouteOptions> Routes { get; } = options.Routes.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Devices by name, compared without case.</summary>
    public FrozenDictionary<string, DeviceOptions> Devices { get; } = options.Devices.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Limits for what comes from the web.</summary>
    public LimitOptions Limits { get; } = options.Limits;

    /// <summary>Whether nothing was configured and the built-in demo runs.</summary>
    public bool IsDemo { get; } = isDemo;
}
