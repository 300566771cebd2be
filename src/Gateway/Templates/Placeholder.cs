namespace Gateway.Templates;

/// <summary>What stands between braces in a request template: <c>{query:n|u32le}</c>.</summary>
/// <param name="Source">Where the text comes from.</param>
/// <param name="Name">Name of the route value, query parameter or header; empty for the other sources.</param>
/// <param name="Codec">Type behind the bar, or null for the text or the bytes as they are.</param>
internal sealed record Placeholder(PlaceholderSource Source, string Name, FrameCodec? Codec)
{
    /// <summary>All forms, for the text of an error.</summary>
    public static string Forms { get; } =
        "{body}, {parts}, {route:name}, {query:name}, {header:name}, {method}, {path}, {user}, {traceparent}, {head}, "
        + $"each but {{parts}} also with a type ({{query:n|u32le}}): {string.Join(", ", FrameCodec.Names)}";

    /// <summary>As it stands in the template.</summary>
    public override string ToString() =>
        $"{{{Source.ToString().ToLowerInvariant()}{(Name.Length > 0 ? ":" + Name : "")}{(Codec is null ? "" : "|" + Codec.Name)}}}";

    /// <summary>Reads what stands between the braces.</summary>
    /// <returns>Null when no placeholder is written like that.</returns>
    public static Placeholder? Parse(string text)
    {
        var bar = text.IndexOf('|', StringComparison.Ordinal);
        var codec = bar < 0 ? null : FrameCodec.Find(text[(bar + 1)..]);
        if (bar >= 0 && codec is null) return null;
        var what = bar < 0 ? text : text[..bar];
        var colon = what.IndexOf(':', StringComparison.Ordinal);
        var name = colon < 0 ? "" : what[(colon + 1)..];
        PlaceholderSource? source = (colon < 0 ? what : what[..colon]) switch
        {
            "route" => PlaceholderSource.Route,
            "query" => PlaceholderSource.Query,
            "header" => PlaceholderSource.Header,
            "body" => PlaceholderSource.Body,
            "parts" => PlaceholderSource.Parts,
            "method" => PlaceholderSource.Method,
            "path" => PlaceholderSource.Path,
            "user" => PlaceholderSource.User,
            "traceparent" => PlaceholderSource.Traceparent,
            "head" => PlaceholderSource.Head,
            _ => null,
        };
        var named = source is PlaceholderSource.Route or PlaceholderSource.Query or PlaceholderSource.Header;
        if (source is null || named != (colon >= 0) || named != (name.Length > 0)) return null;
        return source == PlaceholderSource.Parts && codec is not null ? null : new Placeholder(source.Value, name, codec);
    }
}

/// <summary>Where the text of a placeholder comes from.</summary>
internal enum PlaceholderSource
{
    /// <summary>The request's body.</summary>
    Body,

    /// <summary>The parts of a multipart body, a frame each.</summary>
    Parts,

    /// <summary>A value of the path template.</summary>
    Route,

    /// <summary>A query parameter.</summary>
    Query,

    /// <summary>A request header.</summary>
    Header,

    /// <summary>The HTTP method.</summary>
    Method,

    /// <summary>The path, percent-encoded.</summary>
    Path,

    /// <summary>The name of the authenticated user.</summary>
    User,

    /// <summary>W3C trace context of the request.</summary>
    Traceparent,

    /// <summary>A JSON object of all of these.</summary>
    Head,
}
