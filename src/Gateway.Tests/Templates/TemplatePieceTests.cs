using Gateway.Templates;

namespace Gateway.Tests.Templates;

public class TemplatePieceTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("price", "'price'")]
    [InlineData("{body}", "<body>")]
    [InlineData("GET {path} now", "'GET '<path>' now'")]
    [InlineData("{{{body}}}", "'{'<body>'}'")]
    [InlineData("{{\"s\":{route:s|json}}}", "'{\"s\":'<route:s|json>'}'")]
    [InlineData("a{{b}}c", "'a{b}c'")]
    [InlineData("{a}{b}", "<a><b>")]
    public void Splits_literals_from_placeholders(string text, string expected) =>
        Assert.Equal(expected, string.Concat(TemplatePiece.Split(text)!.Select(piece => piece.IsPlaceholder ? $"<{piece.Text}>" : $"'{piece.Text}'")));

    [Theory]
    [InlineData("{body")]
    [InlineData("body}")]
    [InlineData("{bo{dy}")]
    [InlineData("{")]
    [InlineData("}")]
    public void Refuses_a_brace_without_a_partner(string text) => Assert.Null(TemplatePiece.Split(text));
}
