using Zmtp.Sockets;
using Zmtp.Wire;

namespace Zmtp.Proxies;

/// <summary>What one peer sends, on its way to the other side of the proxy.</summary>
/// <remarks>
/// While the other side has room a message goes on from the read loop, its body copied once. When it has none, messages wait here, up to the
/// receive high-water marks; then the peer is not read. Either the read loop sends or, while something waits, the way's rounds do: never both.
/// </remarks>
internal sealed class ProxyPipe(ProxyWay way, Peer source, byte[]? prefix, Func<Message, bool>? filter) : IncomingPipe
{
    // As the outbox: from here on sharing the memory costs less than copying it.
    private const int ByReference = 16 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Held> _waiting = new();
    private readonly FlushBatch _batch = new();
    private Message _message = Message.Create();
    private int _frames;
    private int _from;
    private bool _isBegun;
    private bool _isMonitored;
    private bool _isHeldWhole;
    private LargeFrame? _large;
    private ProxyCounters _counters;
    private long _waitingBytes;
    private long? _refusedSince;
    private volatile bool _isWaiting;
    private bool _isShown;
    private bool _isClosed;
    private TaskCompletionSource? _room;

    /// <summary>What has passed; a moment old when it is read from another thread.</summary>
    public ProxyCounters Counters => _counters;

    public int Waiting
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    public override bool Accept(in FramePart part)
    {
        if (_large is not null) return AcceptPiece(part);
        if (!_isBegun) Begin();
        if (part is { IsFirst: true, IsLast: false, More: false } && part.FrameLength > way.StreamAbove && MayStream) return BeginLarge(part);
        if (part is { IsWhole: true, More: false } && MayGoDirect(part.Bytes.Length) && TryForward(new Parcel(_message, _from, part.Bytes)))
        {
            Reset();
            return true;
        }

        Append(part);
        return !part.EndsMessage || Send();
    }

    public override bool Enqueue(Message message)
    {
        var held = new Held(message, 0, way.IsMonitored);
        if (held.IsMonitored && way.MonitorPrefix is { } monitorPrefix)
        {
            var prefixed = Message.Create();
            prefixed.Add(monitorPrefix);
            message.WriteTo(prefixed);
            message.Dispose();
            held = new Held(prefixed, 1, true);
        }

        // Such messages come from other threads as well, so they are counted apart and flushed at once.
        if (_isWaiting || !way.IsOpen) return Hold(held);
        var batch = new FlushBatch();
        if (held.IsMonitored) way.Show(held.Message, batch);
        var outcome = way.Forward(held.Parcel, batch);
        if (outcome == ForwardOutcome.Full) return Hold(held with { IsMonitored = false });
        var counters = default(ProxyCounters);
        Finish(held, outcome, ref counters);
        batch.Flush();
        way.Count(counters);
        return true;
    }

    public override async ValueTask WhenReadyAsync(CancellationToken stopping)
    {
        Task? room;
        lock (_gate) room = _room?.Task;
        if (room is not null) await room.WaitAsync(stopping);
        if (_large is not { } large) return;
        if (large.State == LargeState.Assembled)
        {
            // The target takes whole messages: the frame is collected like any other.
            if (large.Length > way.MaxHeld - _message.Length) throw TooLarge();
            (_large, _isHeldWhole) = (null, true);
            _message.AppendBytes(large.TakeFirst());
            return;
        }

        await large.SettleAsync(stopping);
        if (large.IsComplete) EndLarge(large);
    }

    public override void BatchEnd() => _batch.Flush();

    public override void Closed(Exception? reason)
    {
        _batch.Flush();
        bool isEmpty;
        LargeFrame? large;
        lock (_gate)
        {
            _isClosed = true;
            isEmpty = _waiting.Count == 0;
            (large, _large) = (_large, null);
            _message.Dispose();
        }

        large?.End();
        if (large is { IsBegun: true }) way.StreamEnded();
        if (isEmpty) way.Retire(this);
    }

    /// <summary>Sends what waits. Called by the way's rounds, one at a time.</summary>
    /// <returns>False when there is still no room.</returns>
    public bool TrySendWaiting(FlushBatch batch)
    {
        var isOver = false;
        while (true)
        {
            if (!way.MaySend) return false;
            Held held;
            lock (_gate)
            {
                if (!_waiting.TryPeek(out held))
                {
                    if (_large is { State: LargeState.Waiting } large && !TryBeginWaiting(large)) return false;
                    _isWaiting = false;
                    isOver = _isClosed;
                    break;
                }
            }

            if (held.IsMonitored && !_isShown)
            {
                way.Show(held.Message, batch);
                _isShown = true;
            }

            var outcome = way.Forward(held.Parcel, batch);
            if (outcome == ForwardOutcome.Full && (outcome = Refused(held.Parcel)) == ForwardOutcome.Full) return false;
            Taken(held.Message.Length);
            Finish(held, outcome, ref _counters);
        }

        // Not under the lock: the way has one of its own, and looks at its pipes under it.
        if (isOver) way.Retire(this);
        return true;
    }

    /// <summary>At the end of the proxy: what waits is lost, and counted.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            _isWaiting = false;
            while (_waiting.TryDequeue(out var held))
            {
                _counters.Take(held.Parcel.Count, held.Parcel.Length, isDropped: true);
                (_counters.Dropped, _counters.Lost) = (_counters.Dropped - 1, _counters.Lost + 1);
                held.Message.Dispose();
            }

            _waitingBytes = 0;
        }
    }

    // The monitor gets messages whole, and a filter looks at them whole. What was handed over or sealed as a whole is here already, and cannot pause inside a frame.
    private bool MayStream => source.TakesPieces && !_isHeldWhole && !_isMonitored && filter is null && !way.FansOut && (!way.Swaps || _frames > 0);

    /// <summary>Whether the last frame may go from the receive buffer to the target.</summary>
    private bool MayGoDirect(int length) =>
        !_isWaiting && !_isMonitored && filter is null && way.IsOpen && (!way.Swaps || _frames > 0) && (length < ByReference || !way.FansOut);

    private void Begin()
    {
        _isBegun = true;
        _isMonitored = way.IsMonitored;
        if (_isMonitored && way.MonitorPrefix is { } monitorPrefix)
        {
            _message.Add(monitorPrefix);
            _from = 1;
        }

        if (prefix is not null && !way.Swaps) _message.Add(prefix);
    }

    private void Append(in FramePart part)
    {
        // By its announced length: what will not fit is refused before it is collected.
        if (part.IsFirst && part.FrameLength > way.MaxHeld - _message.Length) throw TooLarge();
        if (_message.Length + (long)part.Bytes.Length > Array.MaxLength) throw new ZmtpProtocolException(ProtocolError.FrameTooLarge, "a message above 2 GiB");
        _message.AppendBytes(part.Bytes);
        if (!part.IsLast) return;
        _message.EndFrame();
        // Between two ROUTERs: the destination, then who sends.
        if (++_frames == 1 && way.Swaps) _message.Add(prefix!);
    }

    private ZmtpProtocolException TooLarge() =>
        new(ProtocolError.FrameTooLarge, $"messages that are held whole have at most {way.MaxHeld} bytes");

    private bool Send()
    {
        if (filter is not null && !filter(_message))
        {
            Reset();
            return true;
        }

        var held = new Held(_message, _from, _isMonitored);
        if (!_isWaiting && way.IsOpen)
        {
            // First the monitor: an answer may come before this thread gets to the next line, and must not be shown before its question.
            if (_isMonitored) way.Show(_message, _batch);
            held = held with { IsMonitored = false };
            var outcome = way.Forward(held.Parcel, _batch);
            if (outcome != ForwardOutcome.Full)
            {
                _message = Message.Create();
                Reset();
                Finish(held, outcome, ref _counters);
                return true;
            }
        }

        _message = Message.Create();
        Reset();
        return Hold(held);
    }

    private bool TryForward(in Parcel parcel)
    {
        var outcome = way.Forward(parcel, _batch);
        if (outcome == ForwardOutcome.Full) return false;
        _counters.Take(parcel.Count, parcel.Length, outcome == ForwardOutcome.Dropped);
        return true;
    }

    private static void Finish(in Held held, ForwardOutcome outcome, ref ProxyCounters counters)
    {
        counters.Take(held.Parcel.Count, held.Parcel.Length, outcome == ForwardOutcome.Dropped);
        held.Message.Dispose();
    }

    private void Reset()
    {
        if (!_message.TryReset())
        {
            _message.Dispose();
            _message = Message.Create();
        }

        (_frames, _from, _isBegun, _isHeldWhole) = (0, 0, false, false);
    }

    private bool Hold(in Held held)
    {
        bool isFirst, hasRoom;
        lock (_gate)
        {
            isFirst = !_isWaiting;
            _isWaiting = true;
            _waiting.Enqueue(held);
            _waitingBytes += held.Message.Length;
            hasRoom = HasRoom(1) && !way.IsEnding;
            if (!hasRoom) _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        if (isFirst) way.Wait(this);
        return hasRoom;
    }

    private void Taken(int bytes)
    {
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            if (!_waiting.TryDequeue(out _)) return;
            _waitingBytes -= bytes;
            _isShown = false;
            _refusedSince = null;
            // Half way down, so that reading and sending do not alternate message by message.
            if (_room is not null && HasRoom(2) && !way.IsEnding && _large is null) (room, _room) = (_room, null);
        }

        room?.TrySetResult();
    }

    private bool HasRoom(int part) =>
        _waiting.Count <= way.Settings.HighestUnread / part - (part == 1 ? 1 : 0) && (_waitingBytes <= way.Settings.HighestUnreadBytes / part || _waiting.Count == 0);

    private bool BeginLarge(in FramePart part)
    {
        FrameStream? stream = null;
        var outcome = !_isWaiting && way.IsOpen ? way.TryBegin(new Parcel(_message, _from), part.FrameLength, part.Bytes, out stream) : ForwardOutcome.Full;
        if (outcome == ForwardOutcome.NotInPieces)
        {
            _isHeldWhole = true;
            Append(part);
            return true;
        }

        var large = new LargeFrame(part.FrameLength, source);
        if (outcome != ForwardOutcome.Full)
        {
            _large = large;
            large.Begin(stream, way.Settings.Time, way.StreamTimeout, way.StreamBytesPerSecond);
            return AcceptPiece(part);
        }

        large.KeepFirst(part.Bytes);
        bool isFirst;
        lock (_gate)
        {
            isFirst = !_isWaiting;
            _isWaiting = true;
            _large = large;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        if (isFirst) way.Wait(this);
        return false;
    }

    /// <summary>There is no room for the oldest message. Where one peer alone has none, it is waited for only so long.</summary>
    private ForwardOutcome Refused(in Parcel parcel)
    {
        _refusedSince ??= way.Now;
        return way.IsOver(_refusedSince.Value) && way.GiveUp(parcel) ? ForwardOutcome.Dropped : ForwardOutcome.Full;
    }

    /// <summary>Under the lock, so that the message is not let go meanwhile.</summary>
    private bool TryBeginWaiting(LargeFrame large)
    {
        var parcel = new Parcel(_message, _from);
        var outcome = way.TryBegin(parcel, large.Length, large.First, out var stream);
        if (outcome == ForwardOutcome.Full && (outcome = Refused(parcel)) == ForwardOutcome.Full) return false;
        if (outcome == ForwardOutcome.NotInPieces) large.Assemble();
        else large.Begin(stream, way.Settings.Time, way.StreamTimeout, way.StreamBytesPerSecond);
        _refusedSince = null;
        _room?.TrySetResult();
        _room = null;
        return true;
    }

    private bool AcceptPiece(in FramePart part)
    {
        var large = _large!;
        var isReady = large.Write(part.Bytes, isLast: part.IsLast);
        if (large.IsComplete) EndLarge(large);
        return isReady;
    }

    private void EndLarge(LargeFrame large)
    {
        _large = null;
        var parcel = new Parcel(_message, _from);
        _counters.Take(parcel.Count + 1, parcel.Length + large.Length, isDropped: !large.IsSent);
        if (large is { IsBegun: true, IsSent: false }) (_counters.Dropped, _counters.Lost) = (_counters.Dropped - 1, _counters.Lost + 1);
        var wasBegun = large.IsBegun;
        large.End();
        Reset();
        if (wasBegun) way.StreamEnded();
    }

    private readonly record struct Held(Message Message, int From, bool IsMonitored)
    {
        public Parcel Parcel => new(Message, From);
    }
}
