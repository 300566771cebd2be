using System.Text;
using Zmtp.Wire;

namespace Gateway.Tests.Interop;

/// <summary>The matrix as <c>docs/interop.md</c>.</summary>
internal static class InteropDocument
{
    /// <param name="versions">Library and what it says of its version.</param>
    public static string Render(IReadOnlyDictionary<string, string> versions)
    {
        var cases = versions.Keys.SelectMany(InteropMatrix.Cases).ToList();
        var text = new StringBuilder();
        text.Append("# Interop with other ZeroMQ libraries\n\n");
        text.Append("Made by `InteropDocumentTests` from the cases that `InteropMatrixTests` runs; `UPDATE_CHECKED_IN=1 ./test.sh` writes it again.\n\n");
        text.Append("A case is one pair of sockets, ours and the library's, over one transport and mechanism, with one side binding. Every case exchanges messages of 0, 1, 255, ");
        text.Append("256 and 65,536 bytes and one of three frames (0, 255 and 256 bytes; types whose messages have one frame leave it out), both ways where the pattern has two, and ");
        text.Append("compares them byte for byte. With PLAIN and CURVE whoever binds is the mechanism's server; the other way round is in `SecurePeerTests`.\n\n");
        AppendCounts(text, cases, versions);
        AppendPairs(text, cases, versions);
        text.Append("## Left out\n\n");
        foreach (var reason in InteropMatrix.LeftOut) text.Append($"- {reason}\n");
        return text.ToString();
    }

    private static void AppendCounts(StringBuilder text, List<InteropCase> cases, IReadOnlyDictionary<string, string> versions)
    {
        text.Append($"## Cases: {cases.Count:N0}\n\n");
        text.Append("| Library | Transport | NULL | PLAIN | CURVE |\n|---|---|--:|--:|--:|\n");
        foreach (var group in cases.GroupBy(c => (c.Library, c.Transport)))
        {
            string Count(string mechanism) => group.Count(c => c.Mechanism == mechanism) is > 0 and var count ? $"{count}" : "";
            text.Append($"| {versions[group.Key.Library]} | {group.Key.Transport} | {Count("NULL")} | {Count("PLAIN")} | {Count("CURVE")} |\n");
        }
    }

    private static void AppendPairs(StringBuilder text, List<InteropCase> cases, IReadOnlyDictionary<string, string> versions)
    {
        text.Append("\n## By pair\n\n");
        text.Append($"| Ours | Theirs | {string.Join(" | ", versions.Values)} |\n|---|---|{string.Concat(versions.Select(_ => "--:|"))}\n");
        foreach (var pair in cases.GroupBy(c => (c.Ours, c.Theirs)))
        {
            var counts = versions.Keys.Select(library => pair.Count(c => c.Library == library)).Select(count => count > 0 ? $"{count}" : "");
            text.Append($"| {pair.Key.Ours.Name()} | {pair.Key.Theirs.Name()} | {string.Join(" | ", counts)} |\n");
        }

        text.Append('\n');
    }
}
