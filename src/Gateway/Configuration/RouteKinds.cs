namespace Gateway.Configuration;

/// <summary>Kinds of routes. A route's kind follows from the socket of its backend.</summary>
[Flags]
internal enum RouteKinds
{
    /// <summary>REQ, DEALER, CLIENT: a request and its reply.</summary>
    Call = 1,

    /// <summary>PUB, XPUB, RADIO: a message to all who subscribed.</summary>
    Publish = 2,

    /// <summary>PUSH, SCATTER: a message to one worker.</summary>
    Push = 4,

    /// <summary>SUB, XSUB, PULL, GATHER, DISH: messages to web clients.</summary>
    Stream = 8,
}

/// <summary>Settings that mean something for some kinds of routes only; given for another kind they are an error.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AppliesToAttribute(RouteKinds kinds) : Attribute
{
    /// <summary>The kinds.</summary>
    public RouteKinds Kinds { get; } = kinds;
}

/// <summary>What follows from the role of a socket.</summary>
internal static class SocketRoles
{
    /// <summary>The kind of the routes onto a backend of this socket type; null for a type that is not known.</summary>
    public static RouteKinds? KindOf(string socket) => socket.ToUpperInvariant() switch
    {
        "REQ" or "DEALER" or "CLIENT" => RouteKinds.Call,
        "PUB" or "XPUB" or "RADIO" => RouteKinds.Publish,
        "PUSH" or "SCATTER" => RouteKinds.Push,
        "SUB" or "XSUB" or "PULL" or "GATHER" or "DISH" => RouteKinds.Stream,
        _ => null,
    };

    /// <summary>Whether a backend of this socket type sends and receives messages of one frame only (of RADIO and DISH: a group and one frame).</summary>
    public static bool IsSinglePart(string socket) => socket.ToUpperInvariant() is "CLIENT" or "RADIO" or "DISH" or "SCATTER" or "GATHER";

    /// <summary>Whether the socket's topics are the exact names of groups, and not prefixes.</summary>
    public static bool HasGroups(string socket) => socket.Equals("DISH", StringComparison.OrdinalIgnoreCase);

    /// <summary>The kind as it stands in health, OpenAPI and documentation: lower case.</summary>
    public static string Word(this RouteKinds kind) => kind.ToString().ToLowerInvariant();
}
