using Zmtp.Wire;

namespace Gateway.Tests.Interop;

/// <summary>Every socket pair with a library, over every transport and mechanism, either side binding; <c>docs/interop.md</c> counts them.</summary>
public abstract class InteropMatrixTests(InteropPeer peer)
{
    private protected static TheoryData<string, string, string, string, string> CasesOf(string library)
    {
        var cases = new TheoryData<string, string, string, string, string>();
        foreach (var c in InteropMatrix.Cases(library)) cases.Add(c.Transport, c.Mechanism, c.Ours.Name(), c.Theirs.Name(), c.Role);
        return cases;
    }

    private protected Task PlayAsync(string library, string transport, string mechanism, string ours, string theirs, string role) =>
        peer.PlayAsync(new InteropCase(library, transport, mechanism, Parse(ours), Parse(theirs), role));

    private static SocketType Parse(string name) => SocketTypes.Parse(System.Text.Encoding.ASCII.GetBytes(name));
}

/// <summary>With Debian's libzmq.</summary>
public class PythonMatrixTests(PythonPeer peer) : InteropMatrixTests(peer), IClassFixture<PythonPeer>
{
    public static TheoryData<string, string, string, string, string> Cases() => CasesOf("python");

    [Theory]
    [MemberData(nameof(Cases))]
    public Task Messages_cross(string transport, string mechanism, string ours, string theirs, string theirRole) =>
        PlayAsync("python", transport, mechanism, ours, theirs, theirRole);
}

/// <summary>With npm zeromq.</summary>
public class NodeMatrixTests(NodePeer peer) : InteropMatrixTests(peer), IClassFixture<NodePeer>
{
    public static TheoryData<string, string, string, string, string> Cases() => CasesOf("node");

    [Theory]
    [MemberData(nameof(Cases))]
    public Task Messages_cross(string transport, string mechanism, string ours, string theirs, string theirRole) =>
        PlayAsync("node", transport, mechanism, ours, theirs, theirRole);
}

/// <summary>With jszmq.</summary>
public class JsMatrixTests(JsPeer peer) : InteropMatrixTests(peer), IClassFixture<JsPeer>
{
    public static TheoryData<string, string, string, string, string> Cases() => CasesOf("jszmq");

    [Theory]
    [MemberData(nameof(Cases))]
    public Task Messages_cross(string transport, string mechanism, string ours, string theirs, string theirRole) =>
        PlayAsync("jszmq", transport, mechanism, ours, theirs, theirRole);
}
