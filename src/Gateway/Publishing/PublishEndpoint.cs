using System.Text;
using Gateway.Backends;
using Gateway.Routing;
using Gateway.Templates;

namespace Gateway.Publishing;

/// <summary>Serves one publish or push route: the request becomes one message, and the answer says how many peers it went to.</summary>
/// <param name="hasTopic">Whether, without a <c>Request</c> template, the topic of the path or of <c>?topic=</c> goes before the body.</param>
internal sealed class PublishEndpoint(RouteDefinition route, bool hasTopic, TimeProvider time)
{
    private const string Topic = "topic";

    private readonly IPublisher _publisher = (IPublisher)route.Backend;
    private readonly bool _isTemplated = route.Options.Request.Count > 0;
    private readonly RequestTemplate _template = RequestTemplate.Parse(route.Options.Request, routeParameters: null, out _)
        ?? throw new InvalidOperationException($"Route '{route.Name}' has an invalid template, which the configuration's validation should have refused.");

    /// <summary>Sends the request on. Failures are thrown; whoever called answers them.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var frames = new RequestFrames();
        await using var body = new RequestBody(time);
        try
        {
            await FillAsync(context, frames, body);
            var peers = await _publisher.SendAsync(frames, static (frames, writer) => frames.WriteTo(writer), context.RequestAborted);
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            await context.Response.WriteAsJsonAsync(new PublishedDocument(peers), PublishingJson.Default.PublishedDocument);
        }
        finally
        {
            frames.Reset();
        }
    }

    private async ValueTask FillAsync(HttpContext context, RequestFrames frames, RequestBody body)
    {
        if (_template.UsesParts)
        {
            RequestBody.LimitSize(context, route.Options.MaxBodySize);
            using var parts = await MultipartBody.ReadAsync(
                context.Request, Math.Min(route.Options.MaxBodySize, route.Options.SpoolLimit), context.RequestAborted);
            _template.Render(context, default, bodyFollows: false, parts, frames);
            return;
        }

        // A message goes to many peers, or waits for one: it is held as a whole and never streamed.
        if (_template.UsesBody) await body.ReadAsync(context, route.Options, mayStream: false);
        if (!_isTemplated && hasTopic && TopicOf(context.Request) is { } topic) frames.AddLiteral(Encoding.UTF8.GetBytes(topic));
        _template.Render(context, body.Bytes, bodyFollows: false, parts: null, frames);
    }

    private static string? TopicOf(HttpRequest request)
    {
        if (request.RouteValues.TryGetValue(Topic, out var value) && value is string { Length: > 0 } fromPath) return fromPath;
        return request.Query[Topic] switch
        {
            [] => null,
            [{ } only] => only,
            _ => throw new BackendException(StatusCodes.Status400BadRequest, "too-many-topics", "A message has one topic."),
        };
    }
}
