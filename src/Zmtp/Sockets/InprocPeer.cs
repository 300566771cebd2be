using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>One side of an inproc connection: messages are handed over, never put into bytes.</summary>
/// <remarks>
/// A message goes straight into the other side's sink, in the thread that sends it. What comes while that sink is busy or paused waits in an
/// inbox bounded by the sender's send and the receiver's receive high-water marks together, as libzmq does.
/// </remarks>
internal sealed class InprocPeer(string endpoint, bool isOutgoing, ZmtpOptions options, IPeerOwner owner) : Peer
{
    private readonly Lock _gate = new();
    private readonly Queue<Message> _inbox = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private InprocPeer? _other;
    private IFrameSink? _sink;
    private Exception? _reason;
    private long _inboxBytes;
    private bool _delivering;
    private bool _refusedSender;
    private bool _closed;
    private bool _failed;
    private volatile bool _finished;
    private bool _isOver;
    private int _maxMessages;
    private long _maxBytes;

    public override string Endpoint => endpoint;

    public override string Remote => endpoint;

    public override bool IsOutgoing => isOutgoing;

    /// <summary>Completes with the reason when the connection is over.</summary>
    public Task<Exception?> Ended => _ended.Task;

    public override bool IsWritable => !_finished && _other is { } other && other.HasRoom();

    /// <summary>Makes the two sides known to each other.</summary>
    public static void Join(InprocPeer a, SocketType typeOfA, byte[] identityOfA, InprocPeer b, SocketType typeOfB, byte[] identityOfB)
    {
        // Peer "a" is what the first socket sees: the second socket, and the other way round.
        (a._other, b._other) = (b, a);
        (a.Type, a.Identity) = (typeOfB, identityOfB);
        (b.Type, b.Identity) = (typeOfA, identityOfA);
        a.SetMarks(b);
        b.SetMarks(a);
    }

    /// <summary>Tells the owner, and delivers what came before it was told.</summary>
    /// <returns>False when the owner refused the peer.</returns>
    public bool Open()
    {
        var sink = owner.PeerReady(this);
        if (sink is null)
        {
            Abort(new ZmtpException("The socket takes no further peer."));
            return false;
        }

        bool ended;
        lock (_gate)
        {
            // The other side may have gone before this one was told that it came.
            ended = _isOver;
            if (!ended) _sink = sink;
        }

        if (ended)
        {
            sink.Closed(_reason);
            owner.PeerGone(this);
            return false;
        }

        Deliver();
        return true;
    }

    public override bool TryWrite<TState>(TState state, Action<TState, IFrameWriter> write, bool deferFlush = false)
    {
        if (_finished || _other is not { } other || !other.HasRoom()) return false;
        var message = Message.Create();
        try
        {
            write(state, message);
        }
        catch
        {
            message.Dispose();
            throw;
        }

        return HandOver(other, message);
    }

    public override bool TrySend(Message message, bool deferFlush = false) =>
        !_finished && _other is { } other && other.HasRoom() && HandOver(other, message.Retain());

    internal override bool TryQueue(in Parcel parcel, FlushBatch batch) =>
        _other is { } other && other.HasRoom() && HandOver(other, parcel is { From: 0, HasTail: false } ? parcel.Head.Retain() : parcel.ToMessage());

    internal override bool TakesPieces => false;

    internal override void Flush()
    {
        // Messages are handed over at once.
    }

    public override bool TryBeginStream<TState>(TState state, Action<TState, IFrameWriter> write, long length, [NotNullWhen(true)] out FrameStream? stream)
    {
        stream = IsWritable ? CollectingFrameStream.Begin(this, state, write, length, Array.MaxLength) : null;
        return stream is not null;
    }

    public override void SendSubscription(ReadOnlySpan<byte> topic, bool subscribe) => _other?.TakeSubscription(topic, subscribe);

    public override void Abort(Exception reason)
    {
        Close(reason);
        _other?.Close(null);
    }

    public override Task FlushedAsync() => Task.CompletedTask;

    internal override void Finish() => _finished = true;

    private bool HandOver(InprocPeer other, Message message)
    {
        if (other.Enqueue(message, this)) return true;
        message.Dispose();
        return false;
    }

    private void SetMarks(InprocPeer other)
    {
        _maxMessages = Sum(options.HighestUnread, other.SendMark);
        _maxBytes = options.HighestUnreadBytes == long.MaxValue || other.SendMarkBytes == 0 ? long.MaxValue : options.HighestUnreadBytes + other.SendMarkBytes;

        static int Sum(int a, int b) => a == int.MaxValue || b == 0 ? int.MaxValue : a + b;
    }

    private int SendMark => options.SendHighWaterMark;

    private long SendMarkBytes => options.SendHighWaterMarkBytes;

    private bool HasRoom()
    {
        lock (_gate)
        {
            if (_closed) return false;
            if (_inbox.Count < _maxMessages && (_inboxBytes < _maxBytes || _inbox.Count == 0)) return true;
            _refusedSender = true;
            return false;
        }
    }

    private bool Enqueue(Message message, InprocPeer sender)
    {
        lock (_gate)
        {
            if (_closed) return false;
            // Several threads may send at once; this lock is the one that they share.
            sender.CountMessageOut();
            sender.CountOut(message.Length);
            _inbox.Enqueue(message);
            _inboxBytes += message.Length;
            if (_delivering || _sink is null) return true;
            _delivering = true;
        }

        DeliverAll();
        return true;
    }

    private void TakeSubscription(ReadOnlySpan<byte> topic, bool subscribe)
    {
        if (topic.Length > options.MaxTopicLength) Abort(new ZmtpProtocolException(ProtocolError.TopicTooLong));
        else if (!owner.PeerSubscribed(this, topic, subscribe)) Abort(new ZmtpProtocolException(ProtocolError.TooManySubscriptions));
    }

    private void Deliver()
    {
        lock (_gate)
        {
            if (_delivering || _sink is null) return;
            _delivering = true;
        }

        DeliverAll();
    }

    /// <summary>Empties the inbox into the sink. Only one thread is in here: the one that set <c>_delivering</c>.</summary>
    private void DeliverAll()
    {
        var any = false;
        while (true)
        {
            Message? message;
            bool writable, over;
            lock (_gate)
            {
                if (_closed && (_failed || _sink is null)) DropInbox();
                if (_inbox.TryDequeue(out message)) _inboxBytes -= message.Length;
                else if (any || _closed) { /* Leaves below, still delivering: nobody else may call the sink. */ }
                else _delivering = false;
                over = message is null && _closed;
                writable = _refusedSender && _inbox.Count <= _maxMessages / 2 && _inboxBytes <= _maxBytes / 2;
                if (writable) _refusedSender = false;
                _isOver = over;
                if (message is null && !any && !over) break;
            }

            if (writable) _other?.RaiseWritable();
            if (over)
            {
                End();
                return;
            }

            if (message is null)
            {
                if (!_failed) _sink!.BatchEnd();
                any = false;
                continue;
            }

            any = true;
            if (!Feed(message)) return;
        }
    }

    /// <returns>False when the sink paused; delivering goes on when it is ready.</returns>
    private bool Feed(Message message)
    {
        var ready = true;
        CountMessageIn();
        CountIn(message.Length);
        try
        {
            for (var i = 0; i < message.Count; i++)
            {
                var frame = message[i].Span;
                var more = i < message.Count - 1;
                var at = 0;
                do
                {
                    var piece = frame.Length <= options.StreamThreshold ? frame : frame.Slice(at, Math.Min(options.StreamThreshold, frame.Length - at));
                    var isFirst = at == 0;
                    at += piece.Length;
                    // The bytes are all here, so a pause counts for the next message only.
                    ready &= _sink!.Accept(new FramePart(piece, frame.Length, isFirst, at == frame.Length, more));
                }
                while (at < frame.Length);
            }
        }
        catch (Exception e)
        {
            // A sink that fails loses its connection, not the sender its thread; it is not called again but for its end.
            lock (_gate) _failed = true;
            Abort(e);
            return true;
        }
        finally
        {
            message.Dispose();
        }

        if (ready) return true;
        _sink!.BatchEnd();
        var waiting = _sink.WhenReadyAsync(_closing.Token).AsTask();
        // Ready at once is a turn of the caller's loop; going on from here would nest a call for each message.
        if (waiting.IsCompletedSuccessfully) return true;
        _ = ResumeAsync(waiting);
        return false;
    }

    private async Task ResumeAsync(Task waiting)
    {
        try
        {
            await waiting;
        }
        catch (Exception e)
        {
            Close(e);
        }

        DeliverAll();
    }

    private void Close(Exception? reason)
    {
        lock (_gate)
        {
            if (_closed) return;
            (_closed, _reason) = (true, reason);
            // On the pool: whoever waits for a paused sink would go on in here, under the lock.
            _ = _closing.CancelAsync();
            if (_delivering) return;
            _delivering = true;
        }

        DeliverAll();
    }

    private void DropInbox()
    {
        while (_inbox.TryDequeue(out var message)) message.Dispose();
        _inboxBytes = 0;
    }

    private void End()
    {
        if (_sink is not null)
        {
            _sink.Closed(_reason);
            owner.PeerGone(this);
        }

        _ended.TrySetResult(_reason);
    }

    private void RaiseWritable() => owner.PeerWritable(this);
}
