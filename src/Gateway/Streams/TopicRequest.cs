using System.Text;
using Gateway.Backends;
using Gateway.Configuration;

namespace Gateway.Streams;

/// <summary>Which topics a request names: by the route's <c>{topic}</c> and by <c>?topic=</c>, which may be repeated.</summary>
internal static class TopicRequest
{
    private const string Name = "topic";

    /// <summary>The topics as bytes; none means all.</summary>
    /// <exception cref="BackendException">400 <c>too-many-topics</c> or <c>topic-too-long</c>.</exception>
    public static IReadOnlyList<byte[]> Read(HttpRequest request, LimitOptions limits)
    {
        var fromRoute = request.RouteValues.TryGetValue(Name, out var value) ? value as string : null;
        var fromQuery = request.Query[Name];
        if (fromQuery.Count + (fromRoute is null ? 0 : 1) > limits.MaxTopicsPerClient)
        {
            throw new BackendException(400, "too-many-topics", $"A subscription names at most {limits.MaxTopicsPerClient} topics.");
        }

        var topics = new List<byte[]>(fromQuery.Count + 1);
        if (!string.IsNullOrEmpty(fromRoute)) topics.Add(Encode(fromRoute, limits));
        foreach (var topic in fromQuery) topics.Add(Encode(topic ?? "", limits));
        return topics;
    }

    private static byte[] Encode(string topic, LimitOptions limits)
    {
        if (Encoding.UTF8.GetByteCount(topic) <= limits.MaxTopicLength) return Encoding.UTF8.GetBytes(topic);
        throw new BackendException(400, "topic-too-long", $"A topic has at most {limits.MaxTopicLength} bytes as UTF-8.");
    }
}
