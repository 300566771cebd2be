using Gateway.Configuration;
using Zmtp.Sockets;

namespace Gateway.Backends.Calling;

/// <summary>The lanes of one backend: chooses one for a call, opens further ones, lets those wait for whom there is none.</summary>
/// <remarks>
/// A call goes to the lane with the fewest in flight, ties in turn. A transfer, whose request is streamed at its client's pace, has a lane
/// for itself, and never the last one: one is left for calls, and one for transfers that need not wait for their clients. A backend with a
/// single connection can only share it.
/// </remarks>
/// <param name="oneAtATime">Whether each lane carries one call at a time.</param>
internal sealed class LanePool(string backend, BackendOptions options, ILaneConnections connections, TimeProvider time, bool oneAtATime)
{
    private readonly Lock _gate = new();
    private readonly Lock _transferGate = new();
    private readonly LaneWaiters _waiters = new();
    private readonly Dictionary<string, int> _connections = new(StringComparer.Ordinal);
    private ILane[] _lanes = [];
    private int _direct;
    private int _turn;

    /// <summary>All lanes, a snapshot.</summary>
    public ILane[] Lanes => Volatile.Read(ref _lanes);

    /// <summary>
    /// Whether as many transfers as may go at their clients' pace are under way, so that a further one had better be held first.
    /// </summary>
    public bool IsFull => Volatile.Read(ref _direct) >= MaxDirect();

    /// <summary>Counts the first connection to an endpoint.</summary>
    public void Opened(string endpoint)
    {
        lock (_gate) _connections[endpoint] = _connections.GetValueOrDefault(endpoint) + 1;
    }

    /// <summary>A connection is ready.</summary>
    public void Add(ILane lane)
    {
        lock (_gate) _lanes = [.. _lanes, lane];
        Freed();
    }

    /// <summary>A connection is gone.</summary>
    public void Remove(ILane lane)
    {
        lock (_gate) _lanes = [.. _lanes.Where(other => other != lane)];
        Changed();
    }

    /// <summary>A lane can take another call.</summary>
    public void Freed()
    {
        if (oneAtATime) _waiters.WakeOne();
        else _waiters.WakeAll();
    }

    /// <summary>Something changed that may end the wait of all, a failed attempt to connect for example.</summary>
    public void Changed() => _waiters.WakeAll();

    /// <summary>A lane waits for a slow client: others need another one.</summary>
    public void Paused()
    {
        if (!Array.Exists(Lanes, static lane => lane.TakesCalls) && !OpenAnother(wanted: 1) && _waiters.Count > 0) RelieveAll();
    }

    /// <summary>A transfer at its client's pace is over.</summary>
    public void DirectEnded() => Interlocked.Decrement(ref _direct);

    /// <summary>Gives the call to the ready lane with the fewest in flight.</summary>
    public HandOver TrySend(PendingCall call)
    {
        var lanes = Lanes;
        // Nearly always one try: a second one only when the lane closed or filled up in between.
        for (var attempt = 0; attempt <= lanes.Length; attempt++)
        {
            if (Choose(lanes, call) is not { } lane) return HandOver.NotSent;
            HandOver outcome;
            try
            {
                outcome = lane.TrySend(call);
            }
            catch
            {
                Forgo(lane, call);
                throw;
            }

            if (outcome != HandOver.NotSent) return outcome;
            Forgo(lane, call);
        }

        return HandOver.NotSent;
    }

    /// <summary>Gives a call with a streamed body a lane.</summary>
    /// <param name="isHeld">Whether the body is here already, so that it goes at the peer's pace.</param>
    /// <param name="stream">Takes the body; set when Sent, and then <see cref="DirectEnded"/> follows unless the body is held.</param>
    public HandOver TryBeginTransfer(PendingCall call, bool isHeld, out FrameStream? stream)
    {
        stream = null;
        lock (_transferGate)
        {
            var isShared = Capacity() <= 1;
            if (!isShared && !isHeld && IsFull) return HandOver.NotSent;
            if ((isShared ? Choose(Lanes, call) : ChooseIdle(call)) is not { } lane) return HandOver.NotSent;
            HandOver outcome;
            try
            {
                outcome = lane.TryBeginTransfer(call, alone: !isShared, out stream);
            }
            catch
            {
                Forgo(lane, call);
                throw;
            }

            if (outcome == HandOver.NotSent) Forgo(lane, call);
            if (outcome == HandOver.Sent && !isHeld) Interlocked.Increment(ref _direct);
            return outcome;
        }
    }

    /// <summary>
    /// Offers until somebody takes it, whenever something changes: until the deadline while there are connections, else for ConnectWait at
    /// most.
    /// </summary>
    /// <param name="wantsOwn">Whether a lane is wanted that nobody else uses.</param>
    /// <exception cref="BackendException">503: no peer, and none to be expected; or no lane until the deadline.</exception>
    public async ValueTask<HandOver> WhenLaneAsync(Func<HandOver> offer, long deadline, bool wantsOwn, CancellationToken cancellationToken)
    {
        long? downSince = null;
        while (true)
        {
            var turn = _waiters.Enter();
            var looked = false;
            try
            {
                var outcome = offer();
                if (outcome != HandOver.NotSent)
                {
                    // Who waits behind this one needs a connection of its own.
                    if (oneAtATime && _waiters.Count > 1) OpenAnother(_waiters.Count - 1);
                    return outcome;
                }

                downSince = Lanes.Length > 0 ? null : downSince ?? time.GetTimestamp();
                var until = downSince is { } since ? Math.Min(deadline, since + Ticks(options.ConnectWait)) : deadline;
                ThrowIfHopeless(until);
                if (downSince is null && !OpenAnother(wantsOwn || oneAtATime ? _waiters.Count : 1)) RelieveAll();
                // In whole milliseconds, which is what timers have: one that is a moment early would find nothing changed.
                var left = TimeSpan.FromMilliseconds(Math.Ceiling(time.GetElapsedTime(time.GetTimestamp(), until).TotalMilliseconds));
                await turn.Task.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1), time, cancellationToken);
                looked = true;
            }
            catch (TimeoutException)
            {
                // There may be a connection by now, in use; then there is more time.
            }
            finally
            {
                _waiters.Leave(turn, looked);
            }
        }
    }

    /// <summary>Why no call can be made although there are connections: all of them timed out too often. Null when one can.</summary>
    public string? OpenCircuits()
    {
        var lanes = Lanes;
        if (lanes.Length == 0 || !Array.TrueForAll(lanes, static lane => lane.Circuit.IsOpen)) return null;
        var endpoints = string.Join(", ", lanes.Select(static lane => lane.Peer.Endpoint).Distinct(StringComparer.Ordinal));
        return $"{endpoints} timed out {options.Circuit.Failures} times in a row and is left alone for {options.Circuit.Break}.";
    }

    private static void Forgo(ILane lane, PendingCall call)
    {
        lane.Circuit.Abandoned(call.Probe);
        call.Probe = 0;
    }

    private void ThrowIfHopeless(long until)
    {
        if (OpenCircuits() is { } circuits) throw new BackendUnavailableException(backend, circuits);
        var isOver = time.GetTimestamp() >= until;
        if (Lanes.Length > 0)
        {
            if (isOver) throw new BackendOverloadedException(backend, oneAtATime, options.MaxConnections);
        }
        else if (isOver || !connections.RetryNow())
        {
            throw new BackendUnavailableException(backend, connections.WhyNotReady ?? "its connections were lost.");
        }
    }

    private ILane? Choose(ILane[] lanes, PendingCall call)
    {
        ILane? best = null;
        var start = lanes.Length > 1 ? (int)((uint)Interlocked.Increment(ref _turn) % (uint)lanes.Length) : 0;
        for (var i = 0; i < lanes.Length; i++)
        {
            var lane = lanes[start + i < lanes.Length ? start + i : start + i - lanes.Length];
            if (!lane.TakesCalls || lane.Circuit.IsOpen || (lanes.Length > 1 && !lane.Peer.IsWritable)) continue;
            if (best is null || lane.InFlight < best.InFlight) best = lane;
        }

        // Every circuit is open: after the break one call is the probe.
        return best ?? Array.Find(lanes, lane => lane.TakesCalls && lane.Circuit.IsOpen && TryEnter(lane, call));
    }

    /// <summary>A lane without anything under way, if another one is left for calls.</summary>
    private ILane? ChooseIdle(PendingCall call)
    {
        var lanes = Lanes;
        if (lanes.Count(static lane => lane.TakesCalls) < 2) return null;
        return Array.Find(lanes, static lane => lane.IsIdle && !lane.Circuit.IsOpen)
            ?? Array.Find(lanes, lane => lane.IsIdle && TryEnter(lane, call));
    }

    private static bool TryEnter(ILane lane, PendingCall call)
    {
        if (!lane.Circuit.TryEnter(out var probe)) return false;
        call.Probe = probe;
        return true;
    }

    private void RelieveAll()
    {
        foreach (var lane in Lanes) lane.Relieve();
    }

    /// <summary>Opens a connection beside those that there are, where fewer than wanted are being made and the limit allows one.</summary>
    /// <returns>Whether one is being made.</returns>
    private bool OpenAnother(int wanted)
    {
        string? endpoint = null;
        lock (_gate)
        {
            var making = 0;
            foreach (var group in _lanes.Where(static lane => lane.Peer.IsOutgoing)
                .GroupBy(static lane => lane.Peer.Endpoint, StringComparer.Ordinal))
            {
                var count = _connections.GetValueOrDefault(group.Key);
                making += Math.Max(0, count - group.Count());
                if (endpoint is null && count < options.MaxConnections && !group.First().Circuit.IsOpen) endpoint = group.Key;
            }

            if (making >= wanted || endpoint is null) return making > 0;
            _connections[endpoint]++;
        }

        connections.Connect(endpoint);
        return true;
    }

    /// <summary>Connections that there can be at most.</summary>
    private int Capacity()
    {
        lock (_gate) return (_connections.Count * options.MaxConnections) + _lanes.Count(static lane => !lane.Peer.IsOutgoing);
    }

    private int MaxDirect() => Capacity() switch
    {
        <= 1 => 1,
        2 => 1,
        var capacity => capacity - 2,
    };

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}

/// <summary>How a pool gets connections.</summary>
internal interface ILaneConnections
{
    /// <summary>Why no peer is ready, in words; null when one is.</summary>
    string? WhyNotReady { get; }

    /// <summary>Makes a further connection to the endpoint.</summary>
    void Connect(string endpoint);

    /// <summary>Nobody is connected and somebody waits: tries endpoints again that are being left alone.</summary>
    /// <returns>Whether a peer may be ready soon; false when all are known to be down.</returns>
    bool RetryNow();
}
