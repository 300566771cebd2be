using System.Text.Json.Serialization;
using Gateway.Backends;

namespace Gateway.Devices;

/// <summary>What <c>/gateway/devices</c> says.</summary>
internal sealed record DeviceListDocument(IReadOnlyList<DeviceDocument> Devices);

/// <summary>One device.</summary>
/// <param name="State"><c>running</c>, <c>paused</c>, <c>stopped</c>, <c>stopping</c> or <c>failed</c>.</param>
/// <param name="Since">Since when.</param>
/// <param name="LastError">Why it failed or ended last, or null.</param>
/// <param name="NextTry">When it is started again, while failed.</param>
/// <param name="Restarts">Starts after a failure.</param>
/// <param name="In">What went from the frontend to the backend.</param>
/// <param name="Out">What went from the backend to the frontend.</param>
/// <param name="Watchers">Connections to its tap.</param>
internal sealed record DeviceDocument(
    string Name, string Type, string State, DateTimeOffset Since, string? LastError, DateTimeOffset? NextTry, int Restarts,
    DeviceWayDocument In, DeviceWayDocument Out, DeviceSideDocument Frontend, DeviceSideDocument Backend, DeviceMonitorDocument? Monitor, DeviceSideDocument? Control, int Watchers);

/// <summary>What went one way since the gateway started.</summary>
/// <param name="Rate">Messages a second, over about the last second.</param>
/// <param name="Bytes">Bytes of the frames, identities included, without framing.</param>
/// <param name="Dropped">Messages that the pattern dropped.</param>
/// <param name="Lost">Messages lost with a connection or at the end of a linger time.</param>
/// <param name="Waiting">Messages that wait for room.</param>
internal sealed record DeviceWayDocument(long Messages, double Rate, long Frames, long Bytes, long Dropped, long Lost, long Waiting);

/// <summary>One socket of a device.</summary>
/// <param name="Peers">Peers that are ready.</param>
/// <param name="Endpoints">The configured endpoints; a bound one with its real port.</param>
internal record DeviceSideDocument(string Socket, int Peers, IReadOnlyList<EndpointStatus> Endpoints);

/// <summary>The monitor.</summary>
/// <param name="Missed">Messages that it had no room for.</param>
internal sealed record DeviceMonitorDocument(string Socket, int Peers, IReadOnlyList<EndpointStatus> Endpoints, long Missed) : DeviceSideDocument(Socket, Peers, Endpoints);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DeviceListDocument))]
[JsonSerializable(typeof(DeviceDocument))]
internal sealed partial class DeviceJson : JsonSerializerContext;
