using Zmtp.Wire;

namespace Zmtp.Proxies;

/// <summary>Which sockets a proxy may stand between.</summary>
public static class ProxyPairs
{
    private static readonly (SocketType[] One, SocketType[] Other)[] Table =
    [
        ([SocketType.Router, SocketType.Dealer, SocketType.Pair], [SocketType.Router, SocketType.Dealer, SocketType.Pair]),
        ([SocketType.XSub, SocketType.Sub], [SocketType.XPub, SocketType.Pub]),
        ([SocketType.Pull, SocketType.Sub, SocketType.XSub], [SocketType.Push, SocketType.Pub]),
        // Messages of one frame, so only with each other: nothing has to be dropped or cut.
        ([SocketType.Gather], [SocketType.Scatter]),
        ([SocketType.Channel], [SocketType.Channel]),
        ([SocketType.Dish], [SocketType.Radio]),
    ];

    /// <summary>Types of a monitor.</summary>
    public static IReadOnlyList<SocketType> Monitors { get; } = [SocketType.Pub, SocketType.XPub, SocketType.Push, SocketType.Pair, SocketType.Dealer];

    /// <summary>Types of a control socket.</summary>
    public static IReadOnlyList<SocketType> Controls { get; } = [SocketType.Pair, SocketType.Rep, SocketType.Dealer, SocketType.Pull, SocketType.Sub];

    /// <summary>Whether messages can pass between the two, either being the frontend.</summary>
    public static bool AreCompatible(SocketType one, SocketType other) => With(one).Contains(other);

    /// <summary>The types that may stand at the other side; empty for those that no proxy takes.</summary>
    public static IReadOnlyList<SocketType> With(SocketType type)
    {
        var types = new List<SocketType>();
        foreach (var (one, other) in Table)
        {
            if (one.Contains(type)) types.AddRange(other);
            if (other.Contains(type)) types.AddRange(one);
        }

        return [.. types.Distinct()];
    }

    /// <summary>What is wrong with a pair, in words; null when it is right.</summary>
    public static string? Problem(SocketType frontend, SocketType backend)
    {
        if (AreCompatible(frontend, backend)) return null;
        var with = With(frontend);
        if (with.Count > 0 && With(backend).Count > 0) return $"{frontend.Name()} cannot stand opposite {backend.Name()}; opposite {frontend.Name()}: {string.Join(", ", with.Select(type => type.Name()))}";
        var none = with.Count == 0 ? frontend : backend;
        return $"a device has no {none.Name()} side{Why(none)}";
    }

    private static string Why(SocketType type) => type switch
    {
        SocketType.Req or SocketType.Rep => ", which keeps step with one request; ROUTER towards clients and DEALER towards services do not",
        SocketType.Client or SocketType.Server or SocketType.Peer => ": its messages have one frame, which has no place for whom a reply is for; use ROUTER towards clients and DEALER towards services",
        SocketType.Stream => ", whose messages are pieces of a connection's bytes",
        _ => "",
    };
}
