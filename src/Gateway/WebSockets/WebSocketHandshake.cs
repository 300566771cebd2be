using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.Primitives;

namespace Gateway.WebSockets;

/// <summary>The server's side of the opening handshake: RFC 6455, 4.2, on HTTP/1.1 and RFC 8441 (extended CONNECT) on HTTP/2.</summary>
/// <remarks>
/// The answer's headers are written here because subprotocols such as <c>ZWS2.0/NULL</c>, which ASP.NET's own handshake refuses, must be
/// possible. No extension is ever accepted, so a message costs what its length says. What is read from the request is bounded before it is
/// looked at, and each value is scanned once.
/// </remarks>
internal static class WebSocketHandshake
{
    private const string Protocol = "websocket";
    private const string Version = "13";
    private const int MaxHeaderValues = 16;
    private const int MaxListLength = 8 * 1024;
    private const int MaxSubprotocols = 32;
    private const int KeyLength = 24;
    private const int KeyBytes = 16;

    private static readonly byte[] AcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8.ToArray();

    /// <summary>Whether the request wants a WebSocket, rightly or wrongly asked: the route then answers with <see cref="AcceptAsync"/> or a refusal.</summary>
    public static bool IsRequested(HttpContext context) =>
        ExtendedConnect(context) is not null || ListContains(context.Request.Headers.Upgrade, Protocol);

    /// <summary>Checks the request and picks the subprotocol; changes nothing.</summary>
    /// <param name="supported">Subprotocols of this endpoint, exact and case-sensitive. The first of the client's list that is among them is taken.</param>
    /// <param name="requireSubprotocol">Whether a client that offers none is refused. One that offers only others is always refused: a browser
    /// would fail such a connection anyway, without the reason.</param>
    /// <param name="subprotocol">The one to answer with, or null for none.</param>
    /// <param name="refusal">With false: what to answer instead.</param>
    public static bool TryCheck(
        HttpContext context, IReadOnlyList<string> supported, bool requireSubprotocol,
        out string? subprotocol, [NotNullWhen(false)] out WebSocketRefusal? refusal)
    {
        subprotocol = null;
        refusal = ExtendedConnect(context) is null ? CheckUpgrade(context) : null;
        refusal ??= CheckVersion(context.Request.Headers);
        refusal ??= PickSubprotocol(context.Request.Headers.SecWebSocketProtocol, supported, requireSubprotocol, out subprotocol);
        return refusal is null;
    }

    /// <summary>Answers a request that <see cref="TryCheck"/> found good. From then on the connection is ours and Kestrel's limits no longer hold.</summary>
    /// <param name="subprotocol">As picked, or null.</param>
    /// <exception cref="IOException">The client went away meanwhile.</exception>
    public static async Task<WebSocketTransport> AcceptAsync(HttpContext context, string? subprotocol)
    {
        var headers = context.Response.Headers;
        if (subprotocol is not null) headers.SecWebSocketProtocol = subprotocol;
        context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        if (ExtendedConnect(context) is { } connect) return new WebSocketTransport(await connect.AcceptAsync(), Socket: null, subprotocol);

        headers.Upgrade = Protocol;
        headers.SecWebSocketAccept = AcceptFor(context.Request.Headers.SecWebSocketKey.ToString());
        // Kestrel adds "Connection: Upgrade", that token alone, as libzmq's client demands.
        var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        var isPlaintext = context.Features.Get<ITlsHandshakeFeature>() is null && !context.Request.IsHttps;
        var socket = isPlaintext ? context.Features.Get<IConnectionSocketFeature>()?.Socket : null;
        return new WebSocketTransport(stream, socket, subprotocol);
    }

    /// <summary>The value of Sec-WebSocket-Accept for a key.</summary>
    public static string AcceptFor(string key)
    {
        Span<byte> input = stackalloc byte[KeyLength + AcceptSuffix.Length];
        Encoding.ASCII.GetBytes(key, input);
        AcceptSuffix.CopyTo(input[KeyLength..]);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // SHA-1 is what RFC 6455 prescribes; it protects nothing here.
        SHA1.HashData(input, hash);
#pragma warning restore CA5350
        return Convert.ToBase64String(hash);
    }

    private static IHttpExtendedConnectFeature? ExtendedConnect(HttpContext context) =>
        context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect
        && string.Equals(connect.Protocol, Protocol, StringComparison.OrdinalIgnoreCase)
            ? connect
            : null;

    private static WebSocketRefusal? CheckUpgrade(HttpContext context)
    {
        var request = context.Request;
        var headers = request.Headers;
        if (!ListContains(headers.Upgrade, Protocol)) return WebSocketRefusal.UpgradeRequired();
        if (!HttpMethods.IsGet(request.Method)) return WebSocketRefusal.Bad("A WebSocket is opened by GET.");
        if (!HttpProtocol.IsHttp11(request.Protocol)) return WebSocketRefusal.Bad("An upgrade needs HTTP/1.1.");
        if (!ListContains(headers.Connection, "upgrade")) return WebSocketRefusal.Bad("The header Connection must name upgrade.");
        if (!IsKey(headers.SecWebSocketKey)) return WebSocketRefusal.Bad("The header Sec-WebSocket-Key must be 16 bytes as base64, once.");
        return context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
            ? null
            : WebSocketRefusal.Bad("This request cannot be upgraded; it must not have a body.");
    }

    private static WebSocketRefusal? CheckVersion(IHeaderDictionary headers) =>
        headers.SecWebSocketVersion is [Version] ? null : WebSocketRefusal.WrongVersion(Version);

    private static bool IsKey(StringValues values)
    {
        if (values is not [{ Length: KeyLength } key]) return false;
        Span<byte> bytes = stackalloc byte[KeyBytes];
        return Convert.TryFromBase64String(key, bytes, out var written) && written == KeyBytes;
    }

    private static bool ListContains(StringValues values, ReadOnlySpan<char> token)
    {
        if (values.Count > MaxHeaderValues) return false;
        foreach (var value in values)
        {
            if (value is null || value.Length > MaxListLength) continue;
            foreach (var range in value.AsSpan().Split(','))
                if (value.AsSpan(range).Trim(" \t").Equals(token, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    private static WebSocketRefusal? PickSubprotocol(
        StringValues values, IReadOnlyList<string> supported, bool required, out string? picked)
    {
        picked = null;
        var (offered, length) = (0, 0);
        if (values.Count > MaxHeaderValues) return WebSocketRefusal.TooManySubprotocols(MaxSubprotocols);
        foreach (var value in values)
        {
            length += value?.Length ?? 0;
            if (length > MaxListLength) return WebSocketRefusal.TooManySubprotocols(MaxSubprotocols);
            foreach (var range in value.AsSpan().Split(','))
            {
                var name = value.AsSpan(range).Trim(" \t");
                if (name.IsEmpty) continue; // RFC 9110, 5.6.1: empty elements of a list are ignored.
                if (++offered > MaxSubprotocols) return WebSocketRefusal.TooManySubprotocols(MaxSubprotocols);
                if (name.ContainsAnyExceptInRange('!', '~')) return WebSocketRefusal.Bad("A subprotocol's name is visible ASCII.");
                picked ??= Find(supported, name);
            }
        }

        if (picked is not null || (offered == 0 && !required)) return null;
        return WebSocketRefusal.NoCommonSubprotocol(supported);
    }

    private static string? Find(IReadOnlyList<string> supported, ReadOnlySpan<char> name)
    {
        foreach (var candidate in supported)
            if (name.SequenceEqual(candidate)) return candidate;

        return null;
    }
}
