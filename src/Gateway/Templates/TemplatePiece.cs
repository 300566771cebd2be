namespace Gateway.Templates;

/// <summary>A run of literal text, or what stands between the braces of a placeholder.</summary>
/// <param name="Text">The literal with its escapes resolved, or the placeholder without its braces.</param>
/// <param name="IsPlaceholder">Which of the two it is.</param>
internal readonly record struct TemplatePiece(string Text, bool IsPlaceholder)
{
    /// <summary>Splits the text of one frame. <c>{{</c> and <c>}}</c> stand for braces.</summary>
    /// <returns>The pieces, none for empty text; null when a brace has no partner.</returns>
    public static List<TemplatePiece>? Split(string text)
    {
        var pieces = new List<TemplatePiece>();
        var literal = new System.Text.StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            var doubled = i + 1 < text.Length && text[i + 1] == text[i];
            switch (text[i])
            {
                case '{' or '}' when doubled:
                    literal.Append(text[i++]);
                    break;
                case '{':
                    var end = text.IndexOfAny(['{', '}'], i + 1);
                    if (end < 0 || text[end] == '{') return null;
                    if (literal.Length > 0) pieces.Add(new TemplatePiece(literal.ToString(), IsPlaceholder: false));
                    literal.Clear();
                    pieces.Add(new TemplatePiece(text[(i + 1)..end], IsPlaceholder: true));
                    i = end;
                    break;
                case '}':
                    return null;
                default:
                    literal.Append(text[i]);
                    break;
            }
        }

        if (literal.Length > 0) pieces.Add(new TemplatePiece(literal.ToString(), IsPlaceholder: false));
        return pieces;
    }
}
