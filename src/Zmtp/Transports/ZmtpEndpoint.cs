using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Zmtp.Transports;

/// <summary>An endpoint such as <c>tcp://host:port</c>, <c>ipc://path</c>, <c>ws://host:port/path</c>, <c>inproc://name</c> or <c>udp://host:port</c>, taken apart.</summary>
/// <param name="Scheme">tcp, ipc, ws, wss, inproc or udp.</param>
/// <param name="Host">tcp, ws, wss and udp: a name, an IPv4 address, an IPv6 address without brackets, an interface's name, or <c>*</c>. ipc and inproc: the path or name.</param>
/// <param name="Port">tcp, ws, wss and udp: 0 to 65535, 0 (also written <c>*</c>) for any free port when binding. Else 0.</param>
/// <param name="Source">tcp: address and port to connect from (<c>tcp://source:port;host:port</c>), or null.</param>
/// <param name="Path">ws and wss: path and query, beginning with <c>/</c>; empty for none. A listener takes any path, as libzmq's does.</param>
public sealed record ZmtpEndpoint(string Scheme, string Host, int Port, IPEndPoint? Source = null, string Path = "")
{
    private const int MaxIpcPath = 107;
    private const int MaxPath = 2048;
    private const string Spoken = "tcp://host:port, ipc://path, ipc://@name, ws://host:port/path, wss://host:port/path, inproc://name or udp://host:port";

    /// <summary>Whether host and port name a TCP socket: tcp, ws and wss.</summary>
    internal bool IsTcp => Scheme is "tcp" or "ws" or "wss";

    /// <summary>Whether frames travel as WebSocket messages (45/ZWS): ws and wss.</summary>
    internal bool IsWebSocket => Scheme is "ws" or "wss";

    /// <summary>udp with a multicast group: name or address of the interface to use (<c>udp://interface;group:port</c>), or null for the system's choice.</summary>
    public string? Interface { get; init; }

    /// <summary>Reads an endpoint.</summary>
    /// <param name="text">The endpoint's text.</param>
    /// <param name="endpoint">The parts, when true is returned.</param>
    /// <param name="error">What is allowed instead, when false is returned; ends without a full stop.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out ZmtpEndpoint? endpoint, [NotNullWhen(false)] out string? error)
    {
        (endpoint, error) = (null, null);
        var at = text.IndexOf("://", StringComparison.Ordinal);
        var rest = at < 0 ? "" : text[(at + 3)..];
        switch (at < 0 ? "" : text[..at])
        {
            case "tcp":
                endpoint = ParseTcp(rest, out error);
                break;
            case "ws" or "wss":
                endpoint = ParseWebSocket(text[..at], rest, out error);
                break;
            case "udp":
                endpoint = ParseUdp(rest, out error);
                break;
            case "ipc" when rest.Length is > 0 and <= MaxIpcPath && rest != "@":
            case "inproc" when rest.Length is > 0 and <= 255:
                endpoint = new ZmtpEndpoint(text[..at], rest, 0);
                break;
            case "ipc":
                error = $"ipc:// followed by a path of at most {MaxIpcPath} bytes, or by @ and an abstract name";
                break;
            case "inproc":
                error = "inproc:// followed by a name of 1 to 255 characters";
                break;
            case "pgm" or "epgm" or "norm" or "tipc" or "vmci" or "vsock":
                // libzmq's other transports, each of which needs a library or a kernel module of its own.
                error = $"{Spoken}; {text[..at]} is not spoken here, and docs/recipes.md shows the forwarder that goes in front";
                break;
            default:
                error = Spoken;
                break;
        }

        return endpoint is not null;
    }

    /// <summary>Reads an endpoint.</summary>
    /// <exception cref="ArgumentException">It is none; the message says what is allowed.</exception>
    public static ZmtpEndpoint Parse(string text) =>
        TryParse(text, out var endpoint, out var error) ? endpoint : throw new ArgumentException($"Endpoint \"{text}\" is not {error}.", nameof(text));

    /// <inheritdoc/>
    public override string ToString() => !IsTcp && Scheme != "udp" ? $"{Scheme}://{Host}"
        : $"{Scheme}://{(Source is null ? "" : $"{Source};")}{(Interface is null ? "" : $"{Interface};")}{Authority}{Path}";

    /// <summary>Host and port, an IPv6 address in brackets.</summary>
    internal string Authority => $"{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}";

    private static ZmtpEndpoint? ParseWebSocket(string scheme, string text, out string? error)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var path = slash < 0 ? "" : text[slash..];
        var tcp = ParseTcp(slash < 0 ? text : text[..slash], out error);
        // The path stands in a request line: visible ASCII, and a fragment is never sent.
        var legal = path.Length <= MaxPath && !path.AsSpan().ContainsAnyExceptInRange('!', '~') && !path.Contains('#', StringComparison.Ordinal);
        if (tcp is { Source: null } && legal) return tcp with { Scheme = scheme, Path = path };
        error = $"{scheme}://host:port/path with a port from 0 to 65535 or * for any, and a path of visible ASCII, at most {MaxPath} characters and without #";
        return null;
    }

    private static ZmtpEndpoint? ParseTcp(string text, out string? error)
    {
        error = null;
        IPEndPoint? source = null;
        var semicolon = text.IndexOf(';', StringComparison.Ordinal);
        if (semicolon >= 0)
        {
            if (!IPEndPoint.TryParse(text[..semicolon], out source))
            {
                error = "tcp://source:port;host:port with an IP address as the source";
                return null;
            }

            text = text[(semicolon + 1)..];
        }

        return ParseHostAndPort("tcp", text, out error) is { } endpoint ? endpoint with { Source = source } : null;
    }

    private static ZmtpEndpoint? ParseUdp(string text, out string? error)
    {
        var semicolon = text.LastIndexOf(';');
        var parsed = ParseHostAndPort("udp", text[(semicolon + 1)..], out error);
        if (semicolon < 0 || parsed is null) return parsed;
        // As libzmq: an interface is chosen for a multicast group only; a unicast address has one already.
        if (semicolon > 0 && IPAddress.TryParse(parsed.Host, out var address) && address.IsMulticast()) return parsed with { Interface = text[..semicolon] };
        error = "udp://interface;group:port with the name or address of an interface and a multicast address as the group";
        return null;
    }

    private static ZmtpEndpoint? ParseHostAndPort(string scheme, string text, out string? error)
    {
        error = null;
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? "" : text[..colon];
        var bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (bracketed) host = host[1..^1];
        var port = 0;
        var portText = colon < 0 ? "" : text[(colon + 1)..];
        if (portText != "*" && !(int.TryParse(portText, System.Globalization.NumberStyles.None, null, out port) && port <= IPEndPoint.MaxPort))
        {
            error = $"{scheme}://host:port with a port from 0 to 65535, or * for any";
            return null;
        }

        // A colon is legal only in an address in brackets, and only an IPv6 address stands in brackets.
        var legal = bracketed
            ? IPAddress.TryParse(host, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
            : host == "*" || Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4;
        if (legal) return new ZmtpEndpoint(scheme, host, port);
        error = $"{scheme}://host:port with a name, an IPv4 address, an IPv6 address in brackets, or * as the host";
        return null;
    }
}
