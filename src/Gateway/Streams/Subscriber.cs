namespace Gateway.Streams;

/// <summary>
/// A web client of an audience: idle in its lane while it keeps up, with a cursor of its own while it does not. What kind of connection it is,
/// and what else than messages goes over it, is its descendants' business.
/// </summary>
/// <remarks>Its state belongs to the lane's loop. Other threads only call <see cref="Join"/>, <see cref="LeaveAsync"/>, <see cref="WriteCompleted"/> and post it.</remarks>
internal abstract class Subscriber(Subscription subscription, SubscriberWire wire) : LoopItem, IWriteCompletion
{
    // A subscriber that catches up lets others go on after so many bytes.
    private const int MaxTurnBytes = 256 * 1024;

    private Subscription _subscription = subscription;
    private SenderLane _lane = subscription.Lane;
    private Subscription? _next;
    private long _changesAt;
    private TaskCompletionSource? _left;
    private LogCursor _cursor;
    private ReadOnlyMemory<byte> _control;
    private int _requests;
    private int _written;
    private bool _isWritingControl;
    private bool _isJoined;
    private bool _isEnding;
    private bool _isOver;
    private bool _wantsChange;

    [Flags]
    private enum Request
    {
        Join = 1,
        WriteDone = 2,
        Leave = 4,
        Change = 8,
    }

    /// <summary>Place among the idle subscribers of its lane, or -1; the lane's.</summary>
    public int IdleIndex { get; set; } = -1;

    /// <summary>Whether a write is under way, so that nothing else may be sent.</summary>
    public bool IsWriting { get; private set; }

    /// <summary>Its audience.</summary>
    protected Audience Audience => _lane.Audience;

    /// <summary>Whether something other than messages waits to be sent.</summary>
    protected abstract bool HasControl { get; }

    /// <summary>Begins to send messages: those appended since the subscription was made.</summary>
    public void Join() => Ask(Request.Join);

    /// <summary>The place in its audience. It changes on the subscriber's loop; ask for it when <see cref="LeaveAsync"/> has completed.</summary>
    public Subscription Subscription => _subscription;

    /// <summary>Stops sending and leaves the lane: at once when the connection is lost, else after the message and the control frames that are under way.</summary>
    /// <returns>Completes when nothing writes to the connection any more.</returns>
    public Task LeaveAsync()
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _left = left;
        Ask(Request.Leave);
        return left.Task;
    }

    /// <summary>The write that was begun last has ended. Any thread.</summary>
    /// <param name="sent">Bytes sent, or -1 when the connection is lost.</param>
    public void WriteCompleted(int sent)
    {
        _written = sent;
        Ask(Request.WriteDone);
    }

    /// <inheritdoc/>
    public sealed override void Run()
    {
        var requests = (Request)Interlocked.Exchange(ref _requests, 0);
        if ((requests & Request.WriteDone) != 0) EndWrite();
        if ((requests & Request.Join) != 0) BeginMessages();
        if ((requests & Request.Leave) != 0) _isEnding = true;
        if ((requests & Request.Change) != 0) _wantsChange = true;
        Proceed();
    }

    /// <summary>Gives the subscriber a cursor: it is no longer idle. The lane calls it, and then <see cref="Proceed"/>.</summary>
    public void Fork(LogCursor cursor) => _cursor = cursor;

    /// <summary>Sends what can be sent without waiting.</summary>
    /// <returns>Bytes sent; 0 when it would block or the connection is lost, which the next step finds out.</returns>
    public int TrySend(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return wire.TrySend(bytes);
        }
#pragma warning disable CA1031 // Whatever the connection throws is its own end; the lane has others to send to.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _lane.Loop.Tell(e);
            return -1;
        }
    }

    /// <inheritdoc/>
    public void CompletionFailed(Exception failure)
    {
        _lane.Loop.Tell(failure);
        ConnectionLost();
    }

    /// <inheritdoc/>
    public override void Fail()
    {
        // What it holds may be in any state; the connection's end has its owner give that up.
        Lose();
        IsWriting = false;
        End();
    }

    /// <summary>Sends what is there for the subscriber until it would block, is idle or is over.</summary>
    public void Proceed()
    {
        for (var turn = 0; !IsWriting && !_isOver;)
        {
            if (!_cursor.IsInsideMessage && _control.IsEmpty && HasControl)
            {
                _control = TakeControl(out var ends);
                _isEnding |= ends;
            }

            if (!_control.IsEmpty)
            {
                SendControl();
                continue;
            }

            if (_isEnding && !_cursor.IsInsideMessage) break;
            if (_wantsChange && _isJoined && _next is null) BeginChange();
            if (IdleIndex >= 0 || !_isJoined) return;
            if (turn > MaxTurnBytes)
            {
                _lane.Loop.Post(this);
                return;
            }

            if (!SendMessages(ref turn)) return;
        }

        if (IsWriting) return;
        End();
    }

    /// <summary>Takes what waits to be sent beside messages; called between messages only.</summary>
    /// <param name="ends">Whether nothing may follow it.</param>
    protected abstract ReadOnlyMemory<byte> TakeControl(out bool ends);

    /// <summary>A write that may wait begins.</summary>
    protected abstract void WriteBegins();

    /// <summary>It has ended.</summary>
    protected abstract void WriteEnds();

    /// <summary>Messages were lost because the subscriber did not keep up.</summary>
    protected abstract void MessagesLost(long count);

    /// <summary>The connection is lost; called once.</summary>
    protected abstract void ConnectionLost();

    /// <summary>Asks for <see cref="Resubscribe"/>, once the subscriber has joined. Any thread; what was asked before it was done is one change.</summary>
    protected void Change() => Ask(Request.Change);

    /// <summary>Makes the subscription that takes the place of the present one, in the same loop: <see cref="TopicHub.Resubscribe"/>.</summary>
    /// <param name="end">Sequence in the present audience from which on the new one has the messages.</param>
    protected virtual Subscription Resubscribe(Subscription present, out long end) => throw new NotSupportedException();

    /// <summary>Has the loop look at the subscriber.</summary>
    protected void Wake() => _lane.Loop.Post(this);

    private void Ask(Request request)
    {
        Interlocked.Or(ref _requests, (int)request);
        _lane.Loop.Post(this);
    }

    private void BeginMessages()
    {
        _lane.Enter();
        _isJoined = true;
        _cursor = new LogCursor { Sequence = _subscription.Start, Entry = -1 };
        if (_cursor.Sequence >= _lane.Sequence) _lane.Rejoin(this);
        else Proceed();
        // From here on the lane, or the segment that the cursor stands in, keeps what the subscription has kept so far.
        _subscription.Begun();
    }

    /// <summary>
    /// Changes to another audience without losing or repeating a message: what was appended to the old one before the change is sent first, and
    /// nothing that came later. The lane is at most as far as the end, for it moves on this loop alone.
    /// </summary>
    private void BeginChange()
    {
        _wantsChange = false;
        _next = Resubscribe(_subscription, out _changesAt);
        if (IdleIndex < 0) return;
        _cursor = new LogCursor { Sequence = _lane.Sequence, Entry = -1 };
        _lane.Unjoin(this);
    }

    private void EndChange()
    {
        var old = _subscription;
        _lane.Leave(this);
        Audience.Log.Abandon(ref _cursor);
        (_subscription, _lane, _next) = (_next!, _next!.Lane, null);
        BeginMessages();
        old.End();
    }

    private void EndWrite()
    {
        IsWriting = false;
        WriteEnds();
        if (_written < 0) Lose();
        else if (_isWritingControl) _control = _control[_written..];
        else Advance(_written);
    }

    private void SendControl()
    {
        var sent = TrySend(_control.Span);
        if (sent < 0)
        {
            Lose();
            return;
        }

        _control = _control[sent..];
        if (!_control.IsEmpty) BeginWrite(_control, isControl: true);
    }

    /// <returns>False when the subscriber is idle or blocked.</returns>
    private bool SendMessages(ref int turn)
    {
        var limit = _isEnding ? _cursor.Sequence + 1 : _next is not null ? _changesAt : _lane.Sequence;
        var next = Audience.Log.Read(ref _cursor, limit, out var lost);
        if (lost > 0)
        {
            Audience.Counters.Dropped(lost);
            MessagesLost(lost);
            // It may have to be told, or closed, before it gets more.
            if (HasControl) return true;
        }

        if (next.IsEmpty)
        {
            if (_isEnding) return true;
            if (_next is null) _lane.Rejoin(this);
            else EndChange();
            return _wantsChange;
        }

        var sent = TrySend(next.Span);
        if (sent < 0)
        {
            Lose();
            return true;
        }

        Advance(sent);
        turn += sent;
        if (sent == next.Length) return true;
        var rest = next[sent..];
        BeginWrite(rest[..Math.Min(rest.Length, wire.MaxWaitingWrite)], isControl: false);
        return false;
    }

    private void BeginWrite(ReadOnlyMemory<byte> bytes, bool isControl)
    {
        (IsWriting, _isWritingControl) = (true, isControl);
        WriteBegins();
        try
        {
            wire.BeginSend(bytes, this);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _lane.Loop.Tell(e);
            WriteCompleted(-1);
        }
    }

    private void Advance(int sent)
    {
        var completed = Audience.Log.Advance(ref _cursor, sent);
        Audience.Counters.Delivered(completed, sent);
    }

    private void Lose()
    {
        if (_isOver) return;
        _isOver = true;
        ConnectionLost();
    }

    /// <summary>Nothing is written any more: by the loss of the connection, after the close, or because the owner has asked.</summary>
    private void End()
    {
        _isOver = true;
        _control = default;
        try
        {
            if (_isJoined)
            {
                _isJoined = false;
                _lane.Leave(this);
                Audience.Log.Abandon(ref _cursor);
            }

            _next?.End();
            _next = null;
        }
        finally
        {
            // Who waits for the end waits for nothing else.
            _left?.TrySetResult();
        }
    }
}
