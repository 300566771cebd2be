namespace Gateway.Configuration;

/// <summary>Kinds of routes. A route's kind follows from the socket of its backend.</summary>
[Flags]
internal enum RouteKinds
{
    /// <summary>REQ, DEALER: a request and its reply.</summary>
    Call = 1,

    /// <summary>PUB, XPUB: a message to all who subscribed.</summary>
    Publish = 2,

    /// <summary>PUSH: a message to one worker.</summary>
    Push = 4,

    /// <summary>SUB, XSUB, PULL: messages to web clients.</summary>
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
        "REQ" or "DEALER" => RouteKinds.Call,
        "PUB" or "XPUB" => RouteKinds.Publish,
        "PUSH" => RouteKinds.Push,
        "SUB" or "XSUB" or "PULL" => RouteKinds.Stream,
        _ => null,
    };

    /// <summary>The kind as it stands in health, OpenAPI and documentation: lower case.</summary>
    public static string Word(this RouteKinds kind) => kind.ToString().ToLowerInvariant();
}
