using System.Reflection;
using System.Text.RegularExpressions;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Faults;

/// <summary>What docs/reliability.md says is shown, is shown by a test that is there.</summary>
public partial class ReliabilityDocumentTests
{
    [Fact]
    public void Every_test_that_it_names_exists()
    {
        var tests = typeof(ReliabilityDocumentTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods().Where(method => method.GetCustomAttribute<FactAttribute>() is not null)
                .Select(method => $"{type.Name}.{method.Name}"))
            .ToHashSet(StringComparer.Ordinal);
        var named = TestName().Matches(File.ReadAllText(SourceTree.PathOf("docs/reliability.md"))).Select(match => match.Groups[1].Value)
            .ToArray();
        Assert.True(named.Length > 30, $"only {named.Length} tests are named");
        Assert.Subset(tests, named.ToHashSet(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"`(\w+Tests\.\w+)`")]
    private static partial Regex TestName();
}
