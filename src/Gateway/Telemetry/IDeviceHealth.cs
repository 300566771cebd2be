namespace Gateway.Telemetry;

/// <summary>Tells health of the devices.</summary>
internal interface IDeviceHealth
{
    /// <summary>Devices by name.</summary>
    IReadOnlyDictionary<string, DeviceHealth> Health { get; }
}

/// <summary>State of a device.</summary>
/// <param name="Type">Such as <c>Queue</c>.</param>
/// <param name="State"><c>running</c>, <c>paused</c>, <c>stopped</c>, <c>stopping</c> or <c>failed</c>.</param>
/// <param name="Ready">False only while it has failed: a device that somebody stopped is as it should be.</param>
/// <param name="Why">Why it failed, or null.</param>
internal sealed record DeviceHealth(string Type, string State, bool Ready, string? Why);
