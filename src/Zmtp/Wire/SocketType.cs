using System.Text;

namespace Zmtp.Wire;

/// <summary>The pattern that a socket plays, as READY's <c>Socket-Type</c> names it.</summary>
public enum SocketType
{
    /// <summary>No or an unknown type.</summary>
    None,

    /// <summary>Request, strictly alternating.</summary>
    Req,

    /// <summary>Reply.</summary>
    Rep,

    /// <summary>Asynchronous request.</summary>
    Dealer,

    /// <summary>Asynchronous reply, addressed by identity.</summary>
    Router,

    /// <summary>Publish.</summary>
    Pub,

    /// <summary>Subscribe.</summary>
    Sub,

    /// <summary>Publish, with subscriptions as messages.</summary>
    XPub,

    /// <summary>Subscribe, with subscriptions as messages.</summary>
    XSub,

    /// <summary>One way, spread over peers.</summary>
    Push,

    /// <summary>One way, gathered from peers.</summary>
    Pull,

    /// <summary>One peer, both ways.</summary>
    Pair,

    /// <summary>Asynchronous request of single frames (41/CLISRV).</summary>
    Client,

    /// <summary>Asynchronous reply of single frames, addressed by a routing id (41/CLISRV).</summary>
    Server,

    /// <summary>Publish to groups (48/RADIO-DISH).</summary>
    Radio,

    /// <summary>Join groups (48/RADIO-DISH).</summary>
    Dish,

    /// <summary>One way, gathered from peers, single frames (49/SCATTER-GATHER).</summary>
    Gather,

    /// <summary>One way, spread over peers, single frames (49/SCATTER-GATHER).</summary>
    Scatter,

    /// <summary>Many peers, both ways, addressed by a routing id, single frames (51/P2P).</summary>
    Peer,

    /// <summary>One peer, both ways, single frames (52/CHANNEL).</summary>
    Channel,

    /// <summary>Raw TCP connections, with no ZMTP on the wire: no peer announces this type.</summary>
    Stream,
}

/// <summary>Names and legal pairs of socket types (37/ZMTP 3.1, "The Socket-Type Property").</summary>
public static class SocketTypes
{
    private static readonly (SocketType Type, string Name, SocketType[] Peers)[] Table =
    [
        (SocketType.Req, "REQ", [SocketType.Rep, SocketType.Router]),
        (SocketType.Rep, "REP", [SocketType.Req, SocketType.Dealer]),
        (SocketType.Dealer, "DEALER", [SocketType.Rep, SocketType.Dealer, SocketType.Router]),
        (SocketType.Router, "ROUTER", [SocketType.Req, SocketType.Dealer, SocketType.Router]),
        (SocketType.Pub, "PUB", [SocketType.Sub, SocketType.XSub]),
        (SocketType.Sub, "SUB", [SocketType.Pub, SocketType.XPub]),
        (SocketType.XPub, "XPUB", [SocketType.Sub, SocketType.XSub]),
        (SocketType.XSub, "XSUB", [SocketType.Pub, SocketType.XPub]),
        (SocketType.Push, "PUSH", [SocketType.Pull]),
        (SocketType.Pull, "PULL", [SocketType.Push]),
        (SocketType.Pair, "PAIR", [SocketType.Pair]),
        (SocketType.Client, "CLIENT", [SocketType.Server]),
        (SocketType.Server, "SERVER", [SocketType.Client]),
        (SocketType.Radio, "RADIO", [SocketType.Dish]),
        (SocketType.Dish, "DISH", [SocketType.Radio]),
        (SocketType.Gather, "GATHER", [SocketType.Scatter]),
        (SocketType.Scatter, "SCATTER", [SocketType.Gather]),
        (SocketType.Peer, "PEER", [SocketType.Peer]),
        (SocketType.Channel, "CHANNEL", [SocketType.Channel]),
        (SocketType.Stream, "STREAM", []),
    ];

    /// <summary>The name on the wire, such as <c>DEALER</c>.</summary>
    public static string Name(this SocketType type) => Row(type).Name;

    /// <summary>Whether a socket of this type may talk to one of type <paramref name="peer"/>.</summary>
    public static bool Accepts(this SocketType type, SocketType peer) => Array.IndexOf(Row(type).Peers, peer) >= 0;

    /// <summary>The types that a socket of this type may talk to.</summary>
    public static IReadOnlyList<SocketType> Peers(this SocketType type) => Row(type).Peers;

    /// <summary>Whether peers of this type announce an identity (even an empty one), as libzmq does.</summary>
    public static bool AnnouncesIdentity(this SocketType type) => type is SocketType.Req or SocketType.Dealer or SocketType.Router;

    /// <summary>The type of exactly this name, or None.</summary>
    public static SocketType Parse(ReadOnlySpan<byte> name)
    {
        foreach (var row in Table)
        {
            // Without a handshake nobody announces STREAM; who does is no peer of ours.
            if (Ascii.Equals(name, row.Name) && row.Type != SocketType.Stream) return row.Type;
        }

        return SocketType.None;
    }

    private static (SocketType Type, string Name, SocketType[] Peers) Row(SocketType type) =>
        type == SocketType.None ? throw new ArgumentOutOfRangeException(nameof(type)) : Table[(int)type - 1];
}
