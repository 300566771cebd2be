using System.Buffers.Binary;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Backends;

/// <summary>
/// One connection of a caller. Of REQ and DEALER requests carry the REQ envelope <c>[id, 8 bytes][empty]</c>, which REP and ROUTER peers return, so many are in
/// flight at once and replies match in any order.
/// </summary>
/// <param name="oneAtATime">Of CLIENT: no envelope, and so one call in flight.</param>
internal sealed class Lane(CallerBackend backend, Peer peer, Circuit circuit, bool oneAtATime = false) : IFrameSink
{
    private const int IdSize = 8;
    private readonly Lock _gate = new();
    private readonly uint _salt = (uint)Random.Shared.Next();
    private PendingCall?[] _slots = new PendingCall?[64];
    private uint[] _generations = new uint[64];
    private readonly Stack<int> _free = new(Enumerable.Range(0, 64).Reverse());
    private readonly SingleFrameWriter? _single = oneAtATime ? new SingleFrameWriter(backend.Name) : null;
    private PendingCall? _current;
    private ReplyState _state;
    private int _inFlight;
    private bool _closed;

    private enum ReplyState
    {
        Id,
        Delimiter,
        Body,
        Skip,
    }

    public CallerBackend Backend => backend;

    public Peer Peer => peer;

    public Circuit Circuit => circuit;

    /// <summary>Whether the lane carries the one call that it can carry.</summary>
    public bool IsTaken => oneAtATime && InFlight > 0;

    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Whether the lane carries one large frame now, up or down; it then takes no new calls.</summary>
    public bool IsStreaming => Volatile.Read(ref _isStreaming);

    private bool _isStreaming;

    /// <summary>Sends a request and enters it into the table.</summary>
    /// <returns>False when the connection is closed or full; the call is the caller's again.</returns>
    public bool TrySend(PendingCall pending)
    {
        if (!TryEnter(pending, out var id)) return false;
        // At few calls in flight send at once; at many, let others join first: one system call for all.
        try
        {
            var isQueued = oneAtATime
                ? peer.TryWrite((lane: this, pending), static (s, writer) => s.lane.WriteSingle(s.pending, writer))
                : peer.TryWrite((id, pending), static (s, writer) => WriteRequest(s.id, s.pending, writer), deferFlush: InFlight > 2);
            if (isQueued) return true;
        }
        catch
        {
            // The request cannot be written; nothing of it is queued.
            TryRemove(pending);
            backend.LaneIsIdle();
            throw;
        }

        return !TryRemove(pending);
    }

    /// <summary>Sends a request whose last frame is streamed.</summary>
    /// <param name="stream">Takes the frame's bytes; null with false.</param>
    public bool TryBeginStream(PendingCall pending, long length, out FrameStream? stream)
    {
        stream = null;
        if (!TryEnter(pending, out var id)) return false;
        Volatile.Write(ref _isStreaming, true);
        try
        {
            var begun = oneAtATime
                ? peer.TryBeginStream((lane: this, pending), static (s, writer) => s.lane.WriteSingle(s.pending, writer), length, out stream)
                : peer.TryBeginStream((id, pending), static (s, writer) => WriteRequest(s.id, s.pending, writer), length, out stream);
            if (begun) return true;
        }
        catch
        {
            Volatile.Write(ref _isStreaming, false);
            TryRemove(pending);
            backend.LaneIsIdle();
            throw;
        }

        Volatile.Write(ref _isStreaming, false);
        return !TryRemove(pending);
    }

    /// <summary>The streamed frame has gone: from now on the reply is waited for.</summary>
    public void EndStream(PendingCall pending, long deadline)
    {
        Volatile.Write(ref _isStreaming, false);
        lock (_gate)
        {
            if (_slots[pending.Slot] == pending) pending.Deadline = deadline;
        }
    }

    /// <summary>A call was taken out of the table before its reply came. Without an envelope the reply would answer the next call: the connection goes.</summary>
    public void GivenUp()
    {
        if (oneAtATime) peer.Abort(new ZmtpException("A request was given up before its reply."));
    }

    /// <summary>Takes the call out of the table.</summary>
    /// <returns>Whether it was there: then the caller completes it, and nobody else.</returns>
    public bool TryRemove(PendingCall pending)
    {
        lock (_gate)
        {
            var slot = pending.Slot;
            if (_slots[slot] != pending) return false;
            Release(slot);
            return true;
        }
    }

    /// <summary>Removes all calls whose deadline has passed.</summary>
    public void TakeExpired(long now, List<PendingCall> expired)
    {
        if (InFlight == 0) return;
        lock (_gate)
        {
            for (var slot = 0; slot < _slots.Length; slot++)
            {
                if (_slots[slot] is not { } pending || pending.Deadline > now) continue;
                Release(slot);
                expired.Add(pending);
            }
        }
    }

    public bool Accept(in FramePart part)
    {
        if (oneAtATime && _state == ReplyState.Id) BeginSingle();
        switch (_state)
        {
            case ReplyState.Id:
                BeginReply(part);
                break;
            case ReplyState.Delimiter:
                if (part is { IsWhole: true, More: true } && part.Bytes.IsEmpty) _state = ReplyState.Body;
                else EndWithBadReply();
                break;
            case ReplyState.Body:
                return TakeBody(part);
            default:
                break;
        }

        if (part.EndsMessage) EndMessage();
        return true;
    }

    public async ValueTask WhenReadyAsync(CancellationToken stopping)
    {
        if (_current is not { } current) return;
        // A slow client holds this connection; new calls go to another one meanwhile.
        Volatile.Write(ref _isStreaming, true);
        backend.LaneIsBusy(this);
        await current.Call.WhenReadyAsync(stopping);
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
            for (var slot = 0; slot < _slots.Length; slot++)
            {
                if (_slots[slot] is not { } pending) continue;
                Release(slot);
                lost.Add(pending);
            }
        }

        foreach (var pending in lost) backend.Lost(pending, peer);
        // A reply that had begun cannot be repeated: its response is abandoned.
        if (_current is { } current)
        {
            backend.CallEnded();
            current.Fail(new BackendLostException(backend.Name, peer.Remote));
        }

        _current = null;
    }

    private void WriteSingle(PendingCall pending, IFrameWriter writer) =>
        pending.Call.WriteRequest(_single!.Begin(writer, streamFollows: pending.Call.StreamedLength >= 0));

    private static void WriteRequest(ulong id, PendingCall pending, IFrameWriter writer)
    {
        Span<byte> frame = stackalloc byte[IdSize];
        BinaryPrimitives.WriteUInt64BigEndian(frame, id);
        writer.WriteFrame(frame, more: true);
        writer.WriteFrame([], more: true);
        pending.Call.WriteRequest(writer);
    }

    private bool TryEnter(PendingCall pending, out ulong id)
    {
        lock (_gate)
        {
            id = 0;
            if (_closed || (oneAtATime && _inFlight > 0)) return false;
            if (_free.Count == 0) Grow();
            var slot = _free.Pop();
            _slots[slot] = pending;
            (pending.Slot, pending.Lane) = (slot, this);
            // The salt keeps ids of two lives of a lane apart; the generation those of two lives of a slot.
            id = ((ulong)(_salt + _generations[slot]) << 32) | (uint)slot;
            _inFlight++;
            return true;
        }
    }

    private void Grow()
    {
        var old = _slots.Length;
        Array.Resize(ref _slots, old * 2);
        Array.Resize(ref _generations, old * 2);
        for (var slot = (old * 2) - 1; slot >= old; slot--) _free.Push(slot);
    }

    private void Release(int slot)
    {
        _slots[slot] = null;
        _generations[slot]++;
        _free.Push(slot);
        _inFlight--;
    }

    /// <summary>A reply without an envelope is that of the one call in flight.</summary>
    private void BeginSingle()
    {
        _state = ReplyState.Skip;
        lock (_gate)
        {
            for (var slot = 0; slot < _slots.Length; slot++)
            {
                if (_slots[slot] is not { } pending) continue;
                // The lane is free when the reply has been read, not before: _current says so.
                _slots[slot] = null;
                _generations[slot]++;
                _free.Push(slot);
                (_current, _state) = (pending, ReplyState.Body);
                return;
            }
        }

        backend.CountLateReply();
    }

    private void BeginReply(in FramePart part)
    {
        _state = ReplyState.Skip;
        if (!part.IsWhole || !part.More || part.Bytes.Length != IdSize)
        {
            backend.CountBadEnvelope();
            return;
        }

        var id = BinaryPrimitives.ReadUInt64BigEndian(part.Bytes);
        var (slot, generation) = ((uint)id, (uint)(id >> 32));
        lock (_gate)
        {
            if (slot < _slots.Length && _slots[slot] is { } pending && _salt + _generations[slot] == generation)
            {
                Release((int)slot);
                (_current, _state) = (pending, ReplyState.Delimiter);
                return;
            }
        }

        // Its caller has given up.
        backend.CountLateReply();
    }

    private bool TakeBody(in FramePart part)
    {
        var ready = _current!.Call.Accept(part);
        if (!part.EndsMessage) return ready;
        EndMessage();
        return true;
    }

    private void EndWithBadReply()
    {
        var current = _current!;
        (_current, _state) = (null, ReplyState.Skip);
        backend.CountBadEnvelope();
        current.Fail(new BackendException(502, "backend-bad-reply", $"Backend '{backend.Name}' returned a reply without its envelope: a service must send back the frames before the empty one, and the empty one, untouched."));
        backend.CallEnded();
    }

    private void EndMessage()
    {
        _state = ReplyState.Id;
        if (_current is not { } current) return;
        _current = null;
        if (_isStreaming) Volatile.Write(ref _isStreaming, false);
        if (oneAtATime)
        {
            lock (_gate) _inFlight--;
        }

        circuit.Succeeded();
        backend.CallEnded();
        backend.LaneIsIdle();
        current.Succeed();
    }
}
