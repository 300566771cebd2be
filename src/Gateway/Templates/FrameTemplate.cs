using System.Text;

namespace Gateway.Templates;

/// <summary>One frame of a request template.</summary>
/// <param name="Text">As configured.</param>
/// <param name="Literal">The frame's bytes when it has no placeholder, else null.</param>
/// <param name="Pieces">Literals and placeholders in order; empty when <paramref name="Literal"/> is set.</param>
internal sealed record FrameTemplate(string Text, byte[]? Literal, IReadOnlyList<FrameTemplatePiece> Pieces)
{
    /// <summary>Whether the frame is the body, byte for byte.</summary>
    public bool IsBody => Only is { Source: PlaceholderSource.Body, Codec: null };

    /// <summary>Whether one frame is sent per part of a multipart body.</summary>
    public bool IsParts => Only is { Source: PlaceholderSource.Parts };

    private Placeholder? Only => Pieces.Count == 1 ? Pieces[0].Placeholder : null;

    /// <summary>Whether a placeholder takes its text from there.</summary>
    public bool Uses(PlaceholderSource source) => Pieces.Any(piece => piece.Placeholder?.Source == source);

    /// <summary>Reads one line of a template.</summary>
    /// <param name="routeParameters">Names in the route's path, or null where they are not known.</param>
    /// <param name="allowed">When null is returned: what may stand there.</param>
    public static FrameTemplate? Parse(string text, IReadOnlyCollection<string>? routeParameters, out string allowed)
    {
        allowed = TemplateProblem.Braces;
        var pieces = TemplatePiece.Split(text);
        if (pieces is null) return null;
        var parsed = new List<FrameTemplatePiece>();
        foreach (var piece in pieces)
        {
            var placeholder = piece.IsPlaceholder ? Placeholder.Parse(piece.Text) : null;
            allowed = Placeholder.Forms;
            if (piece.IsPlaceholder && placeholder is null) return null;
            allowed = "{parts} alone in its frame";
            if (placeholder?.Source == PlaceholderSource.Parts && pieces.Count > 1) return null;
            allowed = routeParameters is { Count: > 0 } ? $"{{route:name}} with one of {string.Join(", ", routeParameters)}" : "no {route:name}: the path has no parameters";
            if (placeholder?.Source == PlaceholderSource.Route && routeParameters?.Contains(placeholder.Name, StringComparer.OrdinalIgnoreCase) == false) return null;
            parsed.Add(new FrameTemplatePiece(placeholder is null ? Encoding.UTF8.GetBytes(piece.Text) : [], placeholder));
        }

        var literal = parsed.Count == 0 ? [] : parsed is [{ Placeholder: null }] ? parsed[0].Literal : null;
        return new FrameTemplate(text, literal, literal is null ? parsed : []);
    }
}

/// <summary>A run of literal bytes, or a placeholder.</summary>
internal sealed record FrameTemplatePiece(byte[] Literal, Placeholder? Placeholder);
