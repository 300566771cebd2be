using System.Text.Json.Serialization;
using Gateway.Backends;

namespace Gateway.Telemetry;

/// <summary>What <c>/health/ready</c> says.</summary>
/// <param name="Status"><c>ready</c>, <c>degraded</c> (some backend or device is not ready), <c>unready</c> (none is) or <c>draining</c>.</param>
/// <param name="Demo">Whether nothing is configured and the demo runs.</param>
/// <param name="Version">Version of the gateway.</param>
/// <param name="Backends">Backends by name.</param>
/// <param name="Routes">Routes by name.</param>
/// <param name="Devices">Devices by name.</param>
internal sealed record HealthDocument(
    string Status, bool Demo, string Version, IReadOnlyDictionary<string, BackendHealth> Backends, IReadOnlyDictionary<string, RouteHealth> Routes,
    IReadOnlyDictionary<string, DeviceHealth> Devices);

/// <summary>State of a backend.</summary>
/// <param name="Socket">Role of the gateway, such as <c>REQ</c>.</param>
/// <param name="Ready">Whether a message could be sent, or may arrive.</param>
/// <param name="Why">Why not, or null.</param>
/// <param name="Notice">What a person should know although it is ready, such as why nothing arrives, or null.</param>
/// <param name="Endpoints">State of every endpoint.</param>
internal sealed record BackendHealth(string Socket, bool Ready, string? Why, string? Notice, IReadOnlyList<EndpointStatus> Endpoints);

/// <summary>A route that is served.</summary>
/// <param name="Path">Template of its path.</param>
/// <param name="Methods">HTTP methods it answers to.</param>
/// <param name="Kind"><c>call</c>, <c>publish</c>, <c>push</c> or <c>stream</c>.</param>
/// <param name="Backend">Name of its backend.</param>
internal sealed record RouteHealth(string Path, IReadOnlyList<string> Methods, string Kind, string Backend);

/// <summary>What <c>/health/live</c> says.</summary>
/// <param name="Status">Always <c>live</c>.</param>
internal sealed record LiveDocument(string Status);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HealthDocument))]
[JsonSerializable(typeof(LiveDocument))]
internal sealed partial class HealthJson : JsonSerializerContext;
