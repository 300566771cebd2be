using Zmtp.Transports;
using Zmtp.Transports.WebSockets;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>
/// A ZeroMQ peer on a WebSocket that somebody else has accepted, such as a web server: the server's side of ZWS 2.0 from the first frame to the last.
/// </summary>
/// <remarks>The upgrade's answer has named one of <see cref="Subprotocols"/> in <c>Sec-WebSocket-Protocol</c>.</remarks>
public sealed class WebSocketSession
{
    private readonly WebSocketLink _link;
    private readonly WirePeer _peer;
    private readonly CancellationTokenSource _closing = new();

    /// <summary>Makes a session; <see cref="RunAsync"/> begins it.</summary>
    /// <param name="bytes">The connection after the upgrade. The session receives from it and sends to it, whole frames after the handshake, and disposes it.</param>
    /// <param name="subprotocol">The one that was agreed on.</param>
    /// <param name="endpoint">What <see cref="Peer.Endpoint"/> says.</param>
    /// <param name="type">Our socket type.</param>
    /// <param name="options">Limits, security, clock.</param>
    /// <param name="owner">Told of the peer, once.</param>
    /// <exception cref="ZmtpException">The options contradict each other, or the subprotocol is none of theirs.</exception>
    public WebSocketSession(Link bytes, string subprotocol, string endpoint, SocketType type, ZmtpOptions options, IPeerOwner owner)
    {
        options.Check(type);
        options = options.Copy();
        if (!Subprotocols(options).Contains(subprotocol)) throw new ZmtpException($"{subprotocol} does not fit the options, which speak {string.Join(", ", Subprotocols(options))}.");
        IsBare = subprotocol == WebSocketUpgrade.Bare;
        _link = new WebSocketLink(bytes, isClient: false, ZmtpEndpoint.Parse("ws://*:*"), options, [], subprotocol);
        _peer = new WirePeer(_link, endpoint, isOutgoing: false, type, options, options.CreateMechanism(type), owner);
    }

    /// <summary>Whether the peer speaks bare ZWS 2.0: it has told no socket type, and must not be expected to answer pings.</summary>
    public bool IsBare { get; }

    /// <summary>Whether frames are encrypted (CURVE); known when the peer is ready.</summary>
    public bool IsEncrypted => _peer.IsEncrypted;

    /// <summary>The subprotocols that sockets with these options speak: of their mechanism, and bare <c>ZWS2.0</c> where nobody has to be asked about the peer.</summary>
    public static IReadOnlyList<string> Subprotocols(ZmtpOptions options) => WebSocketTransport.Subprotocols(options);

    /// <summary>Runs the session to its end. Never throws.</summary>
    /// <param name="stopping">Ends it in order.</param>
    /// <returns>Why it ended; null when the peer closed, or was closed in order.</returns>
    public async Task<Exception?> RunAsync(CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token, stopping);
        return await _peer.RunAsync(either.Token);
    }

    /// <summary>Ends the session with a close code of one's own. What is queued is lost.</summary>
    /// <param name="code">A code that may be sent (RFC 6455, 7.4).</param>
    /// <param name="reason">At most 123 ASCII characters.</param>
    public void Close(int code, string reason)
    {
        _link.CloseWith(code, reason);
        // On the pool: the caller may be inside the session's own read loop.
        _ = _closing.CancelAsync();
    }

    /// <summary>Bytes that a frame has on the wire's inside: its own, and what encryption adds.</summary>
    public int SealedLength(int length) => length + _peer.SealOverhead;

    /// <summary>
    /// Encrypts a frame for a writer that sends to the connection beside the session. Whoever does so sends all frames, in the order in which they
    /// were sealed; some may be left out.
    /// </summary>
    /// <param name="output">At least <see cref="SealedLength"/> bytes: what follows the flags octet 00.</param>
    /// <returns>False when the session has ended: nothing may be sent any more.</returns>
    public bool TrySeal(ReadOnlySpan<byte> body, bool more, Span<byte> output) => _peer.TrySeal(more ? FrameFlags.More : FrameFlags.None, body, output);
}
