using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Interop;

public class InteropDocumentTests(PythonPeer python, NodePeer node) : IClassFixture<PythonPeer>, IClassFixture<NodePeer>
{
    [Fact]
    public async Task The_document_counts_the_cases_that_are_run()
    {
        await python.StartAsync();
        await node.StartAsync();
        var versions = new Dictionary<string, string>(StringComparer.Ordinal) { ["python"] = python.Versions, ["node"] = node.Versions };
        CheckedIn.AssertCurrent("docs/interop.md", InteropDocument.Render(versions));
    }
}
