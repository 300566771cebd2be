namespace Gateway.WebSockets;

/// <summary>The deadlines of WebSocket connections, in units of the clock's timestamps. One object for all connections with the same limits.</summary>
internal sealed class WebSocketTiming
{
    private uint _connections;

    /// <param name="pingInterval">Time between pings.</param>
    /// <param name="pongTimeout">Time without a sign of life after a ping until the peer is given up.</param>
    /// <param name="writeTimeout">Time that one write may stall until the peer is given up.</param>
    /// <param name="tick">Time between the ticks that these are judged at.</param>
    public WebSocketTiming(TimeProvider time, TimeSpan pingInterval, TimeSpan pongTimeout, TimeSpan writeTimeout, TimeSpan tick)
    {
        Time = time;
        Tick = tick;
        PingInterval = Units(pingInterval);
        PongTimeout = Units(pongTimeout);
        // A write is first seen up to one tick after it began: judged one tick early, it is cut at the timeout or just before.
        WriteTimeout = Math.Max(Units(writeTimeout - tick), 1);
    }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>Time between ticks.</summary>
    public TimeSpan Tick { get; }

    internal long PingInterval { get; }

    internal long PongTimeout { get; }

    internal long WriteTimeout { get; }

    /// <summary>When a new connection's first ping is due: half to one interval from now, spread evenly so that connections made together do not ping together.</summary>
    internal long FirstPing()
    {
        // Multiples of the golden ratio: evenly spread however many there are, and foreseeable in tests.
        var share = unchecked(Interlocked.Increment(ref _connections) * 2_654_435_769u) / (double)uint.MaxValue;
        return Time.GetTimestamp() + (long)(PingInterval * (0.5 + (share / 2)));
    }

    private long Units(TimeSpan span) => (long)(span.TotalSeconds * Time.TimestampFrequency);
}
