namespace Gateway.WebSockets;

/// <summary>One timer for all connections: 10,000 idle sockets cost one callback that looks at each, not 10,000 timers.</summary>
internal sealed class WebSocketTicker : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<IWebSocketTicked> _members = [];
    private readonly HashSet<IWebSocketTicked> _failed = [];
    private readonly Action<Exception>? _tell;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _ticking;

    /// <summary>Ticks at the timing's pace until it is disposed.</summary>
    /// <param name="tell">Told why a member's tick failed, once for each.</param>
    public WebSocketTicker(WebSocketTiming timing, Action<Exception>? tell = null)
    {
        _tell = tell;
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
            _failed.Remove(member);
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

            Tick(member, now);
        }

        Volatile.Write(ref _ticking, 0);
    }

    private void Tick(IWebSocketTicked member, long now)
    {
        try
        {
            member.OnTick(now);
        }
#pragma warning disable CA1031 // The top of a timer's thread: one connection's defect must not end the others' deadlines.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(member, e);
        }
    }

    private void Fail(IWebSocketTicked member, Exception failure)
    {
        lock (_gate)
        {
            if (!_failed.Add(member)) return;
        }

        try
        {
            _tell?.Invoke(failure);
            member.OnTickFailed();
        }
#pragma warning disable CA1031 // As above; there is nothing left to try.
        catch (Exception)
#pragma warning restore CA1031
        {
            return;
        }
    }
}

/// <summary>What a <see cref="WebSocketTicker"/> calls.</summary>
internal interface IWebSocketTicked
{
    /// <summary>Where the ticker keeps it; only the ticker reads and writes this.</summary>
    int TickerSlot { get; set; }

    /// <summary>Called at every tick, one call at a time, on a timer thread: must not block, and should not throw.</summary>
    /// <param name="now">A timestamp of the ticker's clock.</param>
    void OnTick(long now);

    /// <summary>A tick has thrown, the first one of this member: its deadlines hold no longer, so its connection has to end.</summary>
    void OnTickFailed();
}
