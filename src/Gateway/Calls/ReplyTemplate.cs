using Gateway.Templates;

namespace Gateway.Calls;

/// <summary>What the frames of a reply are, parsed once when the routes are made; immutable.</summary>
internal sealed class ReplyTemplate
{
    private const string Forms = "{status}, {header:name}, {head}, {body}, {skip}, {parts}, one per frame";

    private ReplyTemplate(ReplyFrame[] frames)
    {
        Frames = frames;
        HasParts = frames.Any(frame => frame.Kind == ReplyFrameKind.Parts);
        Required = HasParts ? frames.Length - 1 : frames.Length;
        IsBodyAlone = frames is [{ Kind: ReplyFrameKind.Body }];
    }

    /// <summary>The frames in order.</summary>
    public ReplyFrame[] Frames { get; }

    /// <summary>Whether the last line takes all frames that are left.</summary>
    public bool HasParts { get; }

    /// <summary>Frames a reply must have.</summary>
    public int Required { get; }

    /// <summary>Whether the only frame is the body.</summary>
    public bool IsBodyAlone { get; }

    /// <summary>Reads a template; none of its lines means <c>["{body}"]</c>.</summary>
    /// <returns>Null when anything is wrong.</returns>
    public static ReplyTemplate? Parse(IReadOnlyList<string> lines, out List<TemplateProblem> problems)
    {
        problems = [];
        var frames = new List<ReplyFrame>();
        if (lines.Count == 0) lines = ["{body}"];
        for (var i = 0; i < lines.Count; i++)
        {
            if (!TryParse(lines[i], frames, out var frame, out var allowed)) problems.Add(new TemplateProblem(i, lines[i], allowed));
            frames.Add(frame);
        }

        return problems.Count > 0 ? null : new ReplyTemplate([.. frames]);
    }

    private static bool TryParse(string text, List<ReplyFrame> before, out ReplyFrame frame, out string allowed)
    {
        frame = default;
        allowed = Forms;
        if (TemplatePiece.Split(text) is not [{ IsPlaceholder: true } piece]) return false;
        ReplyFrameKind? kind = piece.Text switch
        {
            "status" => ReplyFrameKind.Status,
            "head" => ReplyFrameKind.Head,
            "body" => ReplyFrameKind.Body,
            "skip" => ReplyFrameKind.Skip,
            "parts" => ReplyFrameKind.Parts,
            _ when piece.Text.StartsWith("header:", StringComparison.Ordinal) => ReplyFrameKind.Header,
            _ => null,
        };
        if (kind is null) return false;
        var name = kind == ReplyFrameKind.Header ? piece.Text["header:".Length..] : "";
        frame = new ReplyFrame(kind.Value, name);
        allowed = "{header:name} with a name that the gateway does not set itself";
        if (kind == ReplyFrameKind.Header && (!ReplyHeaders.IsName(name) || ReplyHeaders.IsOwned(name))) return false;
        // Status and headers go out before the first byte of the body.
        var bodyBefore = before.Any(other => other.Kind is ReplyFrameKind.Body or ReplyFrameKind.Parts);
        allowed = "only {skip} after {body}, and nothing after {parts}";
        if (bodyBefore && (kind != ReplyFrameKind.Skip || before.Any(other => other.Kind == ReplyFrameKind.Parts))) return false;
        allowed = "{status} and {head} once, and not both";
        return kind is not (ReplyFrameKind.Status or ReplyFrameKind.Head)
            || before.All(other => other.Kind is not (ReplyFrameKind.Status or ReplyFrameKind.Head));
    }
}

/// <summary>What one frame of a reply is.</summary>
/// <param name="Name">Name of the response header, for <see cref="ReplyFrameKind.Header"/>.</param>
internal readonly record struct ReplyFrame(ReplyFrameKind Kind, string Name);

/// <summary>Kinds of reply frames.</summary>
internal enum ReplyFrameKind
{
    /// <summary>The response's body.</summary>
    Body,

    /// <summary>The HTTP status as three ASCII digits.</summary>
    Status,

    /// <summary>The value of a response header.</summary>
    Header,

    /// <summary>A JSON object with status and headers.</summary>
    Head,

    /// <summary>Ignored.</summary>
    Skip,

    /// <summary>This frame and all after it, as parts.</summary>
    Parts,
}
