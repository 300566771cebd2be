namespace Gateway.WebSockets;

/// <summary>One timer for all connections: 10,000 idle sockets cost one callback that looks at each, not 10,000 timers.</summary>
internal sealed class WebSocketTicker : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<IWebSocketTicked> _members = [];
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _ticking;

    /// <summary>Ticks at the timing's pace until it is disposed.</summary>
    public WebSocketTicker(WebSocketTiming timing)
    {
        _time = timing.Time;
        _timer = _time.CreateTimer(static ticker => ((WebSocketTicker)ticker!).OnTimer(), this, timing.Tick, timing.Tick);
    }

    /// <summary>Members at this moment.</summary>
    public int Count
    {
        get { lock (_gate) return _members.Count; }
    }

    /// <summary>Ticks <paramref name="member"/> from now on. Call it once per member.</summary>
    public void Add(IWebSocketTicked member)
    {
        lock (_gate)
        {
            member.TickerSlot = _members.Count;
            _members.Add(member);
        }
    }

    /// <summary>Ticks it no more; a tick that is under way may still come. Call it once per member.</summary>
    public void Remove(IWebSocketTicked member)
    {
        lock (_gate)
        {
            var last = _members[^1];
            last.TickerSlot = member.TickerSlot;
            _members[member.TickerSlot] = last;
            _members.RemoveAt(_members.Count - 1);
        }
    }

    /// <summary>Ends the ticking.</summary>
    public void Dispose() => _timer.Dispose();

    private void OnTimer()
    {
        // A tick that lasts longer than the period swallows the next one.
        if (Interlocked.Exchange(ref _ticking, 1) != 0) return;
        var now = _time.GetTimestamp();
        // Backwards, because Remove moves the last member down: nobody is left out, and the lock is held for a look-up only.
        for (var i = Count - 1; i >= 0; i--)
        {
            IWebSocketTicked member;
            lock (_gate)
            {
                if (i >= _members.Count) continue;
                member = _members[i];
            }

            member.OnTick(now);
        }

        Volatile.Write(ref _ticking, 0);
    }
}

/// <summary>What a <see cref="WebSocketTicker"/> calls.</summary>
internal interface IWebSocketTicked
{
    /// <summary>Where the ticker keeps it; only the ticker reads and writes this.</summary>
    int TickerSlot { get; set; }

    /// <summary>Called at every tick, one call at a time, on a timer thread: must neither block nor throw.</summary>
    /// <param name="now">A timestamp of the ticker's clock.</param>
    void OnTick(long now);
}
