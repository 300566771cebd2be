using Gateway.Calls;

namespace Gateway.Tests.Calls;

public class ReplyTemplateTests
{
    [Theory]
    [InlineData("{body}")]
    [InlineData("{status}", "{body}")]
    [InlineData("{status}", "{header:Content-Type}", "{header:Set-Cookie}", "{skip}", "{body}", "{skip}")]
    [InlineData("{head}", "{parts}")]
    [InlineData("{status}")]
    public void Takes_a_template(params string[] lines) => Assert.NotNull(ReplyTemplate.Parse(lines, out _));

    [Theory]
    [InlineData(0, "literal")]
    [InlineData(0, "")]
    [InlineData(0, "{bdy}")]
    [InlineData(0, "{status}{body}")]
    [InlineData(0, "{header:}")]
    [InlineData(0, "{header:a b}")]
    [InlineData(0, "{header:Content-Length}")]
    [InlineData(0, "{header:transfer-encoding}")]
    [InlineData(1, "{body}", "{status}")]
    [InlineData(1, "{body}", "{body}")]
    [InlineData(1, "{body}", "{parts}")]
    [InlineData(1, "{parts}", "{skip}")]
    [InlineData(1, "{status}", "{head}")]
    public void Refuses_a_line_that_cannot_be(int index, params string[] lines)
    {
        Assert.Null(ReplyTemplate.Parse(lines, out var problems));
        Assert.Equal(index, Assert.Single(problems).Index);
    }
}
