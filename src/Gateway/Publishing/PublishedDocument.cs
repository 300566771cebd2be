using System.Text.Json.Serialization;

namespace Gateway.Publishing;

/// <summary>The answer to a message that was taken.</summary>
/// <param name="Peers">Number of peers it was queued to: those who had subscribed to its topic, or the one worker. 0 when nobody wants it.</param>
internal sealed record PublishedDocument(int Peers);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PublishedDocument))]
internal sealed partial class PublishingJson : JsonSerializerContext;
