using Zmtp.Sockets;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Gateway.Configuration;

/// <summary>Whether a text is an endpoint that a backend may have.</summary>
internal static class EndpointSyntax
{
    /// <summary>What is allowed to connect to.</summary>
    public const string ConnectRule = "tcp://host:port, ipc://path, ipc://@name, ws://host:port/path, wss://host:port/path, inproc://name or udp://host:port";

    /// <summary>What is allowed to bind.</summary>
    public const string BindRule = "tcp://address:port, tcp://*:port, ipc://path, ipc://@name, ws://address:port, wss://address:port, inproc://name or udp://host:port";

    /// <summary>What is allowed instead of an endpoint to connect to; null when it is one.</summary>
    public static string? ConnectError(string endpoint, SocketType type)
    {
        if (!ZmtpEndpoint.TryParse(endpoint, out var parts, out var error)) return error;
        // "Any" is no peer.
        return parts is { Scheme: "tcp" or "ws" or "wss" or "udp" } and ({ Host: "*" } or { Port: 0 }) 
            ? $"{parts.Scheme}://host:port with the host and the port of a peer"
            : TypeError(parts, type, binds: false);
    }

    /// <summary>What is allowed instead of an endpoint to bind; null when it is one.</summary>
    public static string? BindError(string endpoint, SocketType type)
    {
        if (!ZmtpEndpoint.TryParse(endpoint, out var parts, out var error)) return error;
        return parts.Source is null ? TypeError(parts, type, binds: true) : "an endpoint without a source address, which is for connecting";
    }

    private static string? TypeError(ZmtpEndpoint endpoint, SocketType type, bool binds) =>
        // A type that is not known has been reported already.
        type != SocketType.None && PeerSet.WhyNot(type, endpoint, binds) is { } why ? $"an endpoint of another transport; {why}" : null;
}
