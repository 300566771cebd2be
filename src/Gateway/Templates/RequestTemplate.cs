namespace Gateway.Templates;

/// <summary>The frames that a web request becomes, parsed once when the routes are made; immutable.</summary>
internal sealed class RequestTemplate
{
    private RequestTemplate(IReadOnlyList<FrameTemplate> frames)
    {
        Frames = frames;
        UsesBody = frames.Any(frame => frame.Uses(PlaceholderSource.Body));
        UsesParts = frames.Any(frame => frame.IsParts);
        StreamsBody = frames[^1].IsBody && frames.Count(frame => frame.Uses(PlaceholderSource.Body)) == 1;
    }

    /// <summary>The body as the only frame.</summary>
    public static RequestTemplate Body { get; } = Parse([], routeParameters: null, out _)!;

    /// <summary>In the order of sending; at least one.</summary>
    public IReadOnlyList<FrameTemplate> Frames { get; }

    /// <summary>Whether the body is sent at all; if not, it is never read.</summary>
    public bool UsesBody { get; }

    /// <summary>Whether the body is read as multipart.</summary>
    public bool UsesParts { get; }

    /// <summary>Whether a large body can be sent while it still arrives: it is the last frame, as it is, and stands nowhere else.</summary>
    public bool StreamsBody { get; }

    /// <summary>Whether the message is the body and nothing else.</summary>
    public bool IsBodyAlone => StreamsBody && Frames.Count == 1;

    /// <summary>Reads a template; none of its lines means <c>["{body}"]</c>.</summary>
    /// <param name="routeParameters">Names in the route's path, or null where they are not known.</param>
    /// <param name="problems">All that is wrong.</param>
    /// <returns>Null when anything is wrong.</returns>
    public static RequestTemplate? Parse(IReadOnlyList<string> lines, IReadOnlyCollection<string>? routeParameters, out List<TemplateProblem> problems)
    {
        problems = [];
        var frames = new List<FrameTemplate>();
        if (lines.Count == 0) lines = ["{body}"];
        for (var i = 0; i < lines.Count; i++)
        {
            if (FrameTemplate.Parse(lines[i], routeParameters, out var allowed) is { } frame) frames.Add(frame);
            else problems.Add(new TemplateProblem(i, lines[i], allowed));
            // The body is read once: as parts or as bytes.
            if (frames.Count(Reads) > 1 && frames.Any(other => other.IsParts) && problems.Count == 0)
            {
                problems.Add(new TemplateProblem(i, lines[i], "{parts} once, and then no {body}"));
            }
        }

        return problems.Count > 0 ? null : new RequestTemplate(frames);

        static bool Reads(FrameTemplate frame) => frame.IsParts || frame.Uses(PlaceholderSource.Body);
    }
}
