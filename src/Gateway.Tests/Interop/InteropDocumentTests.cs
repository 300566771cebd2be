using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Interop;

public class InteropDocumentTests(PythonPeer python, NodePeer node, JsPeer js) : IClassFixture<PythonPeer>, IClassFixture<NodePeer>, IClassFixture<JsPeer>
{
    [Fact]
    public async Task The_document_counts_the_cases_that_are_run()
    {
        await python.StartAsync();
        await node.StartAsync();
        await js.StartAsync();
        var versions = new Dictionary<string, string>(StringComparer.Ordinal) { ["python"] = python.Versions, ["node"] = node.Versions, ["jszmq"] = js.Versions };
        CheckedIn.AssertCurrent("docs/interop.md", InteropDocument.Render(versions));
    }
}
