namespace Gateway.WebSockets;

/// <summary>Whether one peer is alive: when to ping it, and when to give it up. Costs its fields; it has no timer of its own.</summary>
/// <remarks>
/// <see cref="Judge"/> is called by one thread at each tick of a shared <see cref="WebSocketTicker"/>; the other members are called by the
/// connection's reader and writer and read no clock. A sign of life is any byte received (in the middle of a long frame a peer cannot answer a
/// ping), or a write that had stalled and went on: then the peer has acknowledged bytes, although our ping may still stand behind many of them.
/// </remarks>
internal sealed class WebSocketLiveness(WebSocketTiming timing)
{
    private long _pingAt = timing.FirstPing();
    private long _pongBy = long.MaxValue;
    private long _stalledSince;
    private int _stalledWrite;
    private int _writes; // Odd while a write is under way.
    private int _alive;

    /// <summary>Bytes came from the peer.</summary>
    public void Alive() => Volatile.Write(ref _alive, 1);

    /// <summary>The writer begins a write that may stall.</summary>
    public void WriteBegins() => Volatile.Write(ref _writes, _writes + 1);

    /// <summary>The write that began last has ended.</summary>
    public void WriteEnds() => Volatile.Write(ref _writes, _writes + 1);

    /// <summary>What is to be done at this moment.</summary>
    /// <param name="now">A timestamp of the timing's clock.</param>
    public WebSocketVerdict Judge(long now)
    {
        var writes = Volatile.Read(ref _writes);
        var isWriting = (writes & 1) != 0;
        var wasStalled = _stalledWrite != 0;
        if (wasStalled && _stalledWrite != writes) Alive();
        if (!isWriting) _stalledWrite = 0;
        else if (_stalledWrite != writes) (_stalledWrite, _stalledSince) = (writes, now);
        else if (now - _stalledSince >= timing.WriteTimeout) return WebSocketVerdict.WriteStalled;

        if (Interlocked.Exchange(ref _alive, 0) != 0) _pongBy = long.MaxValue;
        if (now >= _pongBy) return WebSocketVerdict.PeerSilent;
        if (now < _pingAt) return WebSocketVerdict.Fine;
        _pingAt = now + timing.PingInterval;
        if (_pongBy == long.MaxValue) _pongBy = now + timing.PongTimeout;
        return WebSocketVerdict.SendPing;
    }
}

/// <summary>What <see cref="WebSocketLiveness.Judge"/> found.</summary>
internal enum WebSocketVerdict : byte
{
    /// <summary>Nothing to do.</summary>
    Fine,

    /// <summary>Offer a ping to the writer.</summary>
    SendPing,

    /// <summary>No sign of life since a ping: abort the connection.</summary>
    PeerSilent,

    /// <summary>A write has stalled for too long: abort the connection.</summary>
    WriteStalled,
}
