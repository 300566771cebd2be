using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Backends.Calling;

/// <summary>What lanes over one ZeroMQ connection share: the table, the reply that is arriving, transfers and pauses.</summary>
/// <remarks>
/// The table and what the lane carries are guarded by its gate. The reply that is arriving belongs to the connection's read loop: it was
/// taken out of the table when it began, and ends there, or with the <see cref="StoredReply"/> that it was put into.
/// </remarks>
/// <param name="maxCalls">Calls that the lane carries at once; 0 for any number.</param>
internal abstract class PeerLane(ILaneOwner owner, Peer peer, Circuit circuit, int maxCalls) : ILane, IFrameSink
{
    private readonly Lock _gate = new();
    private readonly CallTable _table = new(maxCalls == 1 ? 1 : 64);
    private PendingCall? _current;
    private StoredReply? _stored;
    private TaskCompletionSource? _relief;
    private bool _isStoreFull;
    private int _sharedTransfers;
    private long _heldUntil = long.MinValue;
    private volatile bool _closed;
    private volatile bool _isAlone;
    private volatile bool _isSlow;
    private volatile bool _isReceiving;

    public Peer Peer => peer;

    public Circuit Circuit => circuit;

    public int InFlight => _table.Count;

    public bool TakesCalls => !_closed && !_isAlone && !_isSlow && (maxCalls == 0 || (!_isReceiving && _table.Count < maxCalls));

    public bool IsIdle => !_closed && !_isAlone && !_isSlow && !_isReceiving && _table.Count == 0 && _sharedTransfers == 0;

    public ILaneOwner Owner => owner;

    public HandOver TrySend(PendingCall call)
    {
        if (!TryEnter(call, transfer: false, alone: false, out var id)) return HandOver.NotSent;
        try
        {
            if (Write(id, call.Call)) return HandOver.Sent;
        }
        catch
        {
            // The request cannot be written, and nothing of it is queued. Whoever took the call meanwhile has a better reason.
            if (!TryTakeBack(id)) return HandOver.TakenOver;
            owner.LaneIsFree(this);
            throw;
        }

        return BackFrom(id);
    }

    public HandOver TryBeginTransfer(PendingCall call, bool alone, out FrameStream? stream)
    {
        stream = null;
        if (!TryEnter(call, transfer: true, alone, out var id)) return HandOver.NotSent;
        try
        {
            if (BeginStream(id, call.Call, out stream)) return HandOver.Sent;
        }
        catch
        {
            LeaveTransfer();
            if (!TryTakeBack(id)) return HandOver.TakenOver;
            owner.LaneIsFree(this);
            throw;
        }

        LeaveTransfer();
        return BackFrom(id);
    }

    public void EndTransfer(ulong id, long deadline)
    {
        lock (_gate)
        {
            if (_table.Find(id) is { } call) call.Deadline = deadline;
        }

        LeaveTransfer();
        owner.LaneIsFree(this);
    }

    public PendingCall? TryTake(ulong id)
    {
        PendingCall? call;
        lock (_gate)
        {
            call = _table.Take(id);
            if (call is null) return null;
            _closed |= maxCalls == 1;
        }

        if (maxCalls == 1) GiveUp();
        else owner.LaneIsFree(this);
        return call;
    }

    public void TakeExpired(long now, List<PendingCall> expired)
    {
        if (_table.Count == 0) return;
        var before = expired.Count;
        lock (_gate)
        {
            _table.TakeExpired(now, expired);
            _closed |= maxCalls == 1 && expired.Count > before;
        }

        if (expired.Count == before) return;
        if (maxCalls == 1) GiveUp();
        else owner.LaneIsFree(this);
    }

    public bool WasHeldSince(long timestamp)
    {
        lock (_gate) return _relief is not null || _isStoreFull || _sharedTransfers > 0 || _heldUntil >= timestamp;
    }

    public void Relieve()
    {
        lock (_gate) _relief?.TrySetResult();
    }

    public abstract bool Accept(in FramePart part);

    public async ValueTask WhenReadyAsync(CancellationToken stopping)
    {
        if (_stored is { } stored)
        {
            Volatile.Write(ref _isStoreFull, true);
            try
            {
                await stored.WhenRoomAsync(stopping);
            }
            finally
            {
                lock (_gate) (_isStoreFull, _heldUntil) = (false, owner.Time.GetTimestamp());
            }

            return;
        }

        if (_current is not { } current) return;
        var waiting = current.Call.WhenReadyAsync(stopping);
        if (waiting.IsCompleted)
        {
            await waiting;
            return;
        }

        var ready = waiting.AsTask();
        var relief = Pause();
        await Task.WhenAny(ready, relief);
        lock (_gate) (_relief, _heldUntil) = (null, owner.Time.GetTimestamp());
        if (ready.IsCompleted)
        {
            await ready;
            return;
        }

        // From here on the reply is the store's, and this lane goes on reading.
        (_current, _stored) = (null, new StoredReply(owner, current, ready));
    }

    public void BatchEnd()
    {
        // Replies complete their calls one by one; nothing waits for the end of a batch.
    }

    public void Closed(Exception? reason)
    {
        List<PendingCall> lost = [];
        lock (_gate)
        {
            _closed = true;
            _table.TakeAll(lost);
        }

        foreach (var call in lost) owner.End(call, CallEnd.Abandoned, new BackendLostException(owner.Name, peer.Remote, replyBegan: false));
        // A reply that had begun cannot be repeated: its response is abandoned.
        if (_current is { } current) owner.End(current, CallEnd.Abandoned,
            new BackendLostException(owner.Name, peer.Remote, replyBegan: true));
        _stored?.Abort(new BackendLostException(owner.Name, peer.Remote, replyBegan: true));
        (_current, _stored) = (null, null);
    }

    /// <summary>Queues the whole request.</summary>
    protected abstract bool Write(ulong id, ICall call);

    /// <summary>Queues the request up to its streamed frame.</summary>
    protected abstract bool BeginStream(ulong id, ICall call, out FrameStream? stream);

    /// <summary>A reply begins: takes its call out of the table.</summary>
    /// <param name="id">Null for the one call that the lane carries.</param>
    /// <returns>False when the call is over.</returns>
    protected bool TryReceive(ulong? id)
    {
        lock (_gate)
        {
            // A call that was given up took its connection along; what still comes answers nobody.
            _current = _closed && maxCalls == 1 ? null : id is { } known ? _table.Take(known) : _table.TakeAny();
            _isReceiving = _current is not null;
        }

        if (_current is null) owner.LateReply(this);
        return _current is not null;
    }

    /// <summary>Hands over a part of the reply's body.</summary>
    protected bool TakeBody(in FramePart part) => _stored is { } stored ? stored.Add(part) : _current!.Call.Accept(part);

    /// <summary>The reply is not one; the rest of the message is nobody's.</summary>
    protected void EndWithBadReply(string what)
    {
        var current = _current!;
        (_current, _isReceiving) = (null, false);
        owner.LaneIsFree(this);
        owner.BadEnvelope();
        owner.End(current, CallEnd.Abandoned,
            new BackendException(502, "backend-bad-reply", $"Backend '{owner.Name}' returned a reply {what}"));
    }

    /// <summary>The message has ended, and with it the reply, if it was one.</summary>
    protected void EndMessage()
    {
        var (current, stored) = (_current, _stored);
        if (current is null && stored is null) return;
        (_current, _stored) = (null, null);
        _isReceiving = _isSlow = false;
        owner.LaneIsFree(this);
        if (current is not null)
        {
            owner.End(current, CallEnd.Answered, null);
            return;
        }

        // The peer has done its part now, whenever the client will have taken it.
        circuit.Succeeded();
        stored!.End();
    }

    private void GiveUp() =>
        peer.Abort(new ZmtpAbandonedException("A request was given up before its reply, which would answer the next one."));

    private Task Pause()
    {
        var relief = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _isSlow = true;
            _relief = relief;
            // Replies to others come behind this one: a slow client must not make them late.
            if (_table.Count > 0) relief.SetResult();
        }

        owner.LaneIsPaused(this);
        return relief.Task;
    }

    private bool TryEnter(PendingCall call, bool transfer, bool alone, out ulong id)
    {
        lock (_gate)
        {
            id = 0;
            if (_closed || _isAlone || _isSlow || (maxCalls > 0 && (_isReceiving || _table.Count >= maxCalls))) return false;
            if (alone && (_isReceiving || _table.Count > 0 || _sharedTransfers > 0)) return false;
            id = _table.Enter(call, this);
            if (alone) _isAlone = true;
            else if (transfer) _sharedTransfers++;
            return true;
        }
    }

    private void LeaveTransfer()
    {
        lock (_gate)
        {
            if (_isAlone)
            {
                _isAlone = false;
                return;
            }

            _sharedTransfers--;
            _heldUntil = owner.Time.GetTimestamp();
        }
    }

    private HandOver BackFrom(ulong id)
    {
        if (!TryTakeBack(id)) return HandOver.TakenOver;
        owner.LaneIsFree(this);
        return HandOver.NotSent;
    }

    private bool TryTakeBack(ulong id)
    {
        lock (_gate) return _table.Take(id) is not null;
    }
}
