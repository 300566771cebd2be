using System.Text.RegularExpressions;
using Gateway.Routing;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Routing;

public class ProblemDocumentationTests
{
    [Fact]
    public void Every_code_of_a_problem_is_documented()
    {
        var documented = Regex.Matches(File.ReadAllText(SourceTree.PathOf("docs/errors.md")), @"^\| `(?<code>[a-z-]+)` \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture).Select(match => match.Groups["code"].Value);
        var thrown = Directory.EnumerateFiles(SourceTree.PathOf("src/Gateway"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            // A status and the code behind it, as in BackendException(503, "backend-overloaded", …).
            .SelectMany(file => Regex.Matches(File.ReadAllText(file), @"(?:\b[45]\d\d|StatusCodes\.Status\w+),\s*""([a-z]+(?:-[a-z]+)*)""").Select(match => match.Groups[1].Value))
            .Concat(typeof(ProblemCode).GetFields().Select(field => (string)field.GetValue(null)!))
            .Distinct(StringComparer.Ordinal).ToArray();
        Assert.True(thrown.Length > 10, "The pattern does not find the codes any more.");
        Assert.Empty(thrown.Except(documented, StringComparer.Ordinal));
    }
}
