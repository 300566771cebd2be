using System.Security.Cryptography;
using System.Text;

namespace Zmtp.Transports.WebSockets;

/// <summary>The WebSocket upgrade of a ZeroMQ connection, both roles (RFC 6455, 4; 45/ZWS). Pure but for the client's random key.</summary>
internal static class WebSocketUpgrade
{
    private const string Guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private const int KeyBytes = 16;

    /// <summary>The subprotocol without a mechanism.</summary>
    public const string Bare = "ZWS2.0";

    /// <summary>What a session with this mechanism may be called, in order of preference. Bare stands for NULL where nobody is asked about the peer.</summary>
    public static string[] Subprotocols(string mechanism, bool bare) => bare ? [$"{Bare}/{mechanism}", Bare] : [$"{Bare}/{mechanism}"];

    /// <summary>A fresh Sec-WebSocket-Key.</summary>
    public static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));

    /// <summary>The client's request.</summary>
    public static byte[] Request(ZmtpEndpoint endpoint, string key, string[] subprotocols)
    {
        // libzmq writes the list without spaces and so do we; the port is left out where it is the scheme's own.
        var host = endpoint.Port == (endpoint.Scheme == "wss" ? 443 : 80) ? endpoint.Authority[..endpoint.Authority.LastIndexOf(':')] : endpoint.Authority;
        return Encoding.ASCII.GetBytes(
            $"GET {(endpoint.Path.Length == 0 ? "/" : endpoint.Path)} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
            $"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {string.Join(',', subprotocols)}\r\nSec-WebSocket-Version: 13\r\n\r\n");
    }

    /// <summary>Judges the server's answer.</summary>
    /// <param name="chosen">With true: the subprotocol.</param>
    /// <param name="fault">With false: what is wrong.</param>
    public static bool TryReadResponse(ReadOnlySpan<byte> head, string key, string[] offered, out string chosen, out string fault)
    {
        chosen = "";
        if (HttpHead.Parse(head, out fault) is not { } answer) return false;
        if (answer.FirstLine != "HTTP/1.1 101" && !answer.FirstLine.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal))
        {
            fault = $"the server answered \"{(answer.FirstLine.Length > 64 ? answer.FirstLine[..64] : answer.FirstLine)}\"";
            return false;
        }

        fault = answer switch
        {
            _ when !string.Equals(answer.Single("Upgrade"), "websocket", StringComparison.OrdinalIgnoreCase) => "the answer does not say Upgrade: websocket",
            _ when !answer.Lists("Connection", "upgrade") => "the answer does not say Connection: Upgrade",
            _ when answer.Single("Sec-WebSocket-Accept") != Accept(key) => "the answer's Sec-WebSocket-Accept does not fit the key",
            _ when answer.List("Sec-WebSocket-Extensions").Any() => "the answer names an extension, and none was offered",
            _ when answer.Single("Sec-WebSocket-Protocol") is not { } protocol || !offered.Contains(protocol) => $"the answer chooses none of {string.Join(", ", offered)}",
            _ => "",
        };
        if (fault.Length == 0) chosen = answer.Single("Sec-WebSocket-Protocol")!;
        return fault.Length == 0;
    }

    /// <summary>Judges a client's request and writes the answer, also to a bad one.</summary>
    /// <param name="supported">Subprotocols that may be chosen.</param>
    /// <param name="chosen">With true: the first of the client's list that is supported.</param>
    /// <param name="fault">With false: what is wrong.</param>
    public static bool TryAnswer(ReadOnlySpan<byte> head, string[] supported, out string chosen, out byte[] answer, out string fault)
    {
        chosen = "";
        var status = "400 Bad Request";
        if (HttpHead.Parse(head, out fault) is { } request)
        {
            chosen = request.List("Sec-WebSocket-Protocol").Take(MaxOffered).FirstOrDefault(supported.Contains) ?? "";
            fault = request switch
            {
                _ when !IsGet(request.FirstLine) => "the request is no GET of HTTP/1.1",
                _ when request.Single("Host") is null => "the request has no Host",
                _ when !request.Lists("Upgrade", "websocket") => "the request does not say Upgrade: websocket",
                _ when !request.Lists("Connection", "upgrade") => "the request does not say Connection: Upgrade",
                _ when request.Single("Content-Length") is not (null or "0") || request.List("Transfer-Encoding").Any() => "the request has a body",
                _ when request.Single("Sec-WebSocket-Version") != "13" => "the request's Sec-WebSocket-Version is not 13",
                _ when !IsKey(request.Single("Sec-WebSocket-Key")) => "the request's Sec-WebSocket-Key is not 16 bytes as base64",
                _ when chosen.Length == 0 => $"the request offers none of {string.Join(", ", supported)} in Sec-WebSocket-Protocol",
                _ => "",
            };
            if (fault.Length == 0)
            {
                answer = Encoding.ASCII.GetBytes(
                    $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {Accept(request.Single("Sec-WebSocket-Key")!)}\r\n" +
                    $"Sec-WebSocket-Protocol: {chosen}\r\n\r\n");
                return true;
            }

            if (request.Lists("Upgrade", "websocket") && request.Single("Sec-WebSocket-Version") is { } version && version != "13") status = "426 Upgrade Required\r\nSec-WebSocket-Version: 13";
        }

        var words = $"This is a ZeroMQ socket: {fault}.\n";
        answer = Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: {words.Length}\r\n\r\n{words}");
        return false;
    }

    // More than this many names nobody offers; the rest is not looked at.
    private const int MaxOffered = 32;

    private static bool IsGet(string line) => line.Split(' ') is ["GET", ['/', ..], "HTTP/1.1"];

    private static bool IsKey(string? key)
    {
        Span<byte> bytes = stackalloc byte[KeyBytes];
        return key is { Length: 24 } && Convert.TryFromBase64String(key, bytes, out var written) && written == KeyBytes;
    }

#pragma warning disable CA5350 // RFC 6455 asks for SHA-1; it proves that the server speaks WebSocket, nothing else.
    private static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + Guid)));
#pragma warning restore CA5350
}
