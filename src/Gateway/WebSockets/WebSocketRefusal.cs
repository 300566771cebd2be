using Microsoft.Net.Http.Headers;

namespace Gateway.WebSockets;

/// <summary>Why a handshake is refused, as a problem document says it.</summary>
/// <param name="Status">400 or 426.</param>
/// <param name="Code">Stable code of the problem document.</param>
/// <param name="Detail">What was wrong and what is right; nothing of the request is repeated.</param>
internal sealed record WebSocketRefusal(int Status, string Code, string Detail)
{
    private string? SupportedVersion { get; init; }

    /// <summary>Sets status and headers of the response; the body, a problem document, is the caller's.</summary>
    public void ApplyTo(HttpResponse response)
    {
        response.StatusCode = Status;
        if (Status != StatusCodes.Status426UpgradeRequired) return;
        if (HttpProtocol.IsHttp11(response.HttpContext.Request.Protocol)) response.Headers[HeaderNames.Upgrade] = "websocket";
        if (SupportedVersion is not null) response.Headers[HeaderNames.SecWebSocketVersion] = SupportedVersion;
    }

    /// <summary>400 <c>websocket-handshake</c>.</summary>
    internal static WebSocketRefusal Bad(string detail) => new(StatusCodes.Status400BadRequest, "websocket-handshake", detail);

    /// <summary>426 <c>websocket-required</c>: the request is no upgrade.</summary>
    internal static WebSocketRefusal UpgradeRequired() =>
        new(StatusCodes.Status426UpgradeRequired, "websocket-required", "This endpoint speaks WebSocket only: send Upgrade: websocket.");

    /// <summary>426 <c>websocket-version</c>, with the version that is spoken in Sec-WebSocket-Version.</summary>
    internal static WebSocketRefusal WrongVersion(string supported) =>
        new(StatusCodes.Status426UpgradeRequired, "websocket-version", $"The header Sec-WebSocket-Version must be {supported}, once.")
        {
            SupportedVersion = supported,
        };

    /// <summary>400 <c>websocket-handshake</c>: the list of subprotocols is beyond its bounds.</summary>
    internal static WebSocketRefusal TooManySubprotocols(int max) => Bad($"At most {max} subprotocols in 8 KiB can be offered.");

    /// <summary>400 <c>websocket-subprotocol</c>: none offered is spoken here.</summary>
    internal static WebSocketRefusal NoCommonSubprotocol(IReadOnlyList<string> supported) =>
        new(StatusCodes.Status400BadRequest, "websocket-subprotocol", supported.Count == 0
            ? "This endpoint speaks no subprotocol: leave Sec-WebSocket-Protocol out."
            : $"Offer one of the subprotocols {string.Join(", ", supported)}.");
}
