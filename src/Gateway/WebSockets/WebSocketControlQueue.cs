namespace Gateway.WebSockets;

/// <summary>The control frames that wait for a connection's writer: at most one pong (the newest), one ping and one close.</summary>
/// <remarks>
/// Offered from any thread, taken by the connection's one writer between messages. Bounded by its shape: a flood of pings costs one pong
/// (RFC 6455, 5.5.3). Once the close is taken nothing more may be written, and nothing more is offered.
/// </remarks>
internal sealed class WebSocketControlQueue
{
    /// <summary>Most bytes that <see cref="Take"/> writes.</summary>
    public const int MaxTake = WebSocketFrames.MaxControlFrame + WebSocketFrames.HeaderOfEmpty + WebSocketFrames.MaxControlFrame;

    private readonly Lock _gate = new();
    private byte[] _pong = []; // Allocated at the first ping with a payload; most clients never send one.
    private string _closeReason = "";
    private WebSocketCloseCode _closeCode;
    private byte _pongLength;
    private bool _hasPong;
    private bool _hasPing;
    private CloseState _close;
    private volatile bool _pending;

    private enum CloseState : byte
    {
        None,
        Offered,
        Taken,
    }

    /// <summary>Whether <see cref="Take"/> would write something. Cheap enough to ask between any two messages.</summary>
    public bool HasPending => _pending;

    /// <summary>Whether a close was offered: no more messages should be begun.</summary>
    public bool IsClosing
    {
        get { lock (_gate) return _close != CloseState.None; }
    }

    /// <summary>Answers a ping; replaces a pong that was not written yet.</summary>
    /// <returns>Whether the writer has something to do now; false after a close.</returns>
    public bool OfferPong(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > WebSocketFrames.MaxControlPayload) throw new ArgumentException("A pong has at most 125 bytes.", nameof(payload));
        lock (_gate)
        {
            if (_close != CloseState.None) return false;
            if (payload.Length > _pong.Length) _pong = new byte[WebSocketFrames.MaxControlPayload];
            payload.CopyTo(_pong);
            (_pongLength, _hasPong, _pending) = ((byte)payload.Length, true, true);
            return true;
        }
    }

    /// <summary>Asks whether the peer is alive, by a ping without payload.</summary>
    /// <returns>Whether the writer has something to do now; false after a close.</returns>
    public bool OfferPing()
    {
        lock (_gate)
        {
            if (_close != CloseState.None) return false;
            (_hasPing, _pending) = (true, true);
            return true;
        }
    }

    /// <summary>Offers the close frame. The first one wins.</summary>
    /// <param name="reason">At most 123 bytes as UTF-8, the rest is cut off.</param>
    /// <returns>Whether it is the first.</returns>
    public bool OfferClose(WebSocketCloseCode code, string reason = "")
    {
        lock (_gate)
        {
            if (_close != CloseState.None) return false;
            (_closeCode, _closeReason, _close, _pending) = (code, reason, CloseState.Offered, true);
            return true;
        }
    }

    /// <summary>Writes what waits as frames: pong, ping, close.</summary>
    /// <param name="destination">At least <see cref="MaxTake"/> bytes.</param>
    /// <param name="closes">Whether the close was among them: nothing may be written behind it.</param>
    /// <returns>Bytes written, possibly none.</returns>
    public int Take(Span<byte> destination, out bool closes)
    {
        lock (_gate)
        {
            var length = 0;
            closes = _close == CloseState.Offered;
            if (_hasPong) length += WebSocketFrames.WriteFrame(destination, WebSocketOpcode.Pong, _pong.AsSpan(0, _pongLength));
            if (_hasPing) length += WebSocketFrames.WriteFrame(destination[length..], WebSocketOpcode.Ping, []);
            if (closes)
            {
                length += WebSocketFrames.WriteClose(destination[length..], _closeCode, _closeReason);
                _close = CloseState.Taken;
            }

            (_hasPong, _hasPing, _pending) = (false, false, false);
            return length;
        }
    }
}
