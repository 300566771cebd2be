using Zmtp.Wire;

namespace Gateway.Tests.Interop;

/// <summary>Who can talk with whom over what: the rows of the interop matrix, and why some are not there.</summary>
internal static class InteropMatrix
{
    /// <summary>Bodies of the messages of each case.</summary>
    public static readonly int[][] Sizes = [[0], [1], [255], [256], [64 * 1024], [0, 255, 256]];

    /// <summary>Bodies for the types whose messages have one frame.</summary>
    public static readonly int[][] SingleSizes = [[0], [1], [255], [256], [64 * 1024]];

    private static readonly SocketType[] ClassicTypes =
    [
        SocketType.Req, SocketType.Rep, SocketType.Dealer, SocketType.Router, SocketType.Pub, SocketType.Sub, SocketType.XPub, SocketType.XSub,
        SocketType.Push, SocketType.Pull, SocketType.Pair,
    ];

    // Of the thread-safe types, those that npm zeromq has.
    private static readonly SocketType[] DraftTypes = [SocketType.Client, SocketType.Server, SocketType.Radio, SocketType.Dish, SocketType.Scatter, SocketType.Gather];

    /// <summary>What was left out, and why.</summary>
    public static readonly string[] LeftOut =
    [
        "CLIENT, SERVER, RADIO, DISH, SCATTER, GATHER, PEER and CHANNEL with Debian's libzmq: it has no wire names for them and ends its process at the first handshake over TCP.",
        "PEER and CHANNEL with npm zeromq: its JavaScript does not know them. They are not counted here but proved by `DraftPeerTests` with the libzmq 4.3.5 inside it, called directly: PEER with PEER and CHANNEL with CHANNEL over tcp, either side binding, messages of 0 to 1,048,576 bytes both ways.",
        "jszmq over anything but `ws://` without a mechanism (its subprotocol is bare `ZWS2.0`): it has nothing else. In a browser nothing can be bound; the cases with it bound are with Node.",
        "libzmq's REQ as the server of PLAIN or CURVE when its ZAP handler names a user: it takes the name for a reply without delimiter and closes the connection, also one with another libzmq. The handlers of these cases name none.",
    ];

    /// <summary>All cases of a library: transport, mechanism, our type, theirs, their role.</summary>
    public static IEnumerable<InteropCase> Cases(string library) =>
        from transport in Transports(library)
        from mechanism in Mechanisms(library)
        from ours in Types(library)
        from theirs in ours.Peers()
        from role in (string[])["bind", "connect"]
        select new InteropCase(library, transport, mechanism, ours, theirs, role);

    /// <summary>Every pair of classic sockets in both roles, over tcp without security.</summary>
    public static IEnumerable<InteropCase> Classic(string library) =>
        from ours in ClassicTypes
        from theirs in ours.Peers()
        from role in (string[])["bind", "connect"]
        select new InteropCase(library, "tcp", "NULL", ours, theirs, role);

    private static string[] Transports(string library) => library == "jszmq" ? ["ws"] : ["tcp", "ipc", "ws"];

    private static string[] Mechanisms(string library) => library == "jszmq" ? ["NULL"] : ["NULL", "PLAIN", "CURVE"];

    private static SocketType[] Types(string library) => library == "node" ? [.. ClassicTypes, .. DraftTypes] : ClassicTypes;
}

/// <summary>One cell of the matrix.</summary>
/// <param name="Library">python, node or jszmq.</param>
/// <param name="Transport">tcp, ipc or ws.</param>
/// <param name="Mechanism">NULL, PLAIN or CURVE; whoever binds is its server.</param>
/// <param name="Ours">Our socket.</param>
/// <param name="Theirs">The library's socket.</param>
/// <param name="Role">What theirs does: bind or connect.</param>
internal sealed record InteropCase(string Library, string Transport, string Mechanism, SocketType Ours, SocketType Theirs, string Role)
{
    /// <summary>Frame sizes of the messages that are exchanged.</summary>
    public int[][] Sizes => Ours > SocketType.Pair ? InteropMatrix.SingleSizes : InteropMatrix.Sizes;

    /// <summary>What the peer does: echo, ask, collect or send.</summary>
    public string Flow => (Ours, Theirs) switch
    {
        (SocketType.Rep or SocketType.Server, _) or (SocketType.Router, SocketType.Req or SocketType.Dealer) => "ask",
        (SocketType.Pub or SocketType.XPub or SocketType.Push or SocketType.Radio or SocketType.Scatter, _) => "collect",
        (SocketType.Sub or SocketType.XSub or SocketType.Pull or SocketType.Dish or SocketType.Gather, _) => "send",
        _ => "echo",
    };
}
