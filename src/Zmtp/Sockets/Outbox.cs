using System.Buffers;
using System.Runtime.CompilerServices;
using Zmtp.Security;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>
/// The outgoing half of a connection. Messages are encoded under a lock into the bytes that will be sent; whoever finds nobody sending
/// sends, and takes along everything that others queue meanwhile: one system call for many messages.
/// </summary>
/// <param name="framed">False for the raw bytes of STREAM, which have no headers.</param>
/// <remarks>Bounded by messages and bytes; the caller applies the pattern's rule when <see cref="TryWrite"/> says no.</remarks>
internal sealed class Outbox(Link link, LinkPeer peer, ZmtpOptions options, bool framed = true) : IFrameWriter, IThreadPoolWorkItem
{
    private const int MaxControlBytes = 64 * 1024;

    /// <summary>Bytes of subscriptions that may wait beyond those that a peer got when it became ready.</summary>
    internal const int MaxSubscriptionBytes = 4 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly ChunkList _held = new();
    private readonly int _maxMessages = options.SendHighWaterMark == 0 ? int.MaxValue : options.SendHighWaterMark;
    private readonly long _maxBytes = options.SendHighWaterMarkBytes == 0 ? long.MaxValue : options.SendHighWaterMarkBytes;
    private readonly ChunkList _queue = new();
    private readonly ChunkList _control = new();
    private ChunkList.Chunk _sending;
    private int _sent;
    private int _inFlightMessages;
    private int _inFlightBytes;
    private long _maxSubscriptionBytes = long.MaxValue;
    private bool _flushing;
    private bool _flushQueued;
    private bool _unflushed;
    private bool _refused;
    private int _lost;
    private bool _closed;
    private bool _finished;
    private bool _insideFrame;
    private bool _insideMessage;
    private WireFrameStream? _stream;
    private FrameProtection? _protection;
    private TaskCompletionSource? _drained;
    private ValueTaskAwaiter<int> _awaiter;
    private Action? _onSent;

    /// <summary>Seals every frame from here on; called once, before the first.</summary>
    public void Protect(FrameProtection protection) => _protection = protection;

    public bool IsStreaming => Volatile.Read(ref _stream) is not null;

    public bool IsWritable
    {
        get
        {
            lock (_gate)
            {
                // Who asks and hears no is told when there is room, as who sends and is refused.
                _refused |= !HasRoom;
                return HasRoom;
            }
        }
    }

    private ChunkList Target => _stream is null ? _queue : _held;

    private bool HasRoom => !_closed && !_finished && _queue.Messages + _held.Messages + _inFlightMessages < _maxMessages
        && (_queue.Bytes + _held.Bytes + _inFlightBytes < _maxBytes);

    public bool TryWrite<TState>(TState state, Action<TState, IFrameWriter> write, bool deferFlush)
    {
        lock (_gate)
        {
            if (!TryEncode(state, write)) return false;
            Target.EndMessage();
            if (_stream is not null || _flushing || (deferFlush && _flushQueued)) return true;
            if (deferFlush) _flushQueued = true;
            else _flushing = true;
        }

        if (deferFlush) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else Drain();
        return true;
    }

    public bool TrySend(Message message, bool deferFlush)
    {
        return TryWrite((this, message), static (s, writer) =>
        {
            for (var i = 0; i < s.message.Count; i++)
            {
                var frame = s.message[i];
                if (frame.Length < Message.ByReference || s.Item1._protection is not null) writer.WriteFrame(frame.Span, i < s.message.Count - 1);
                else s.Item1.WriteShared(frame, i < s.message.Count - 1, s.message);
            }
        }, deferFlush);
    }

    /// <summary>Queues a message and sends nothing: <see cref="Flush"/> does, or whoever sends next.</summary>
    /// <param name="isFirst">Whether the caller has to see to the flush; nobody else does.</param>
    public bool TryQueue(in Parcel parcel, out bool isFirst)
    {
        isFirst = false;
        lock (_gate)
        {
            if (!HasRoom)
            {
                _refused = true;
                return false;
            }

            var target = Target;
            var mark = target.Mark();
            try
            {
                Write(parcel);
            }
            catch
            {
                // A half-written message must not reach the wire.
                target.Rewind(mark);
                throw;
            }

            peer.CountMessageOut();
            target.EndMessage();
            if (_stream is not null || _flushing || _unflushed) return true;
            _unflushed = isFirst = true;
            return true;
        }
    }

    /// <summary>Sends what is queued, if nobody is sending.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_flushing || _stream is not null || !_unflushed) return;
            _flushing = true;
        }

        Drain();
    }

    public bool TryBeginStream<TState>(TState state, Action<TState, IFrameWriter> write, long length, out WireFrameStream? stream)
    {
        stream = null;
        lock (_gate)
        {
            if (_stream is not null)
            {
                // The end of that stream is when to ask again.
                _refused = true;
                return false;
            }

            if (!TryEncode(state, write)) return false;
            WriteHeader(FrameHeader.For(length));
            _stream = stream = new WireFrameStream(this, link, peer, length);
            if (_flushing) return true;
            _flushing = true;
        }

        Drain();
        return true;
    }

    /// <summary>Ends the stream; what was held back meanwhile goes out.</summary>
    public void EndStream()
    {
        lock (_gate)
        {
            _stream = null;
            _queue.EndMessage();
            _queue.TakeAll(_held);
            if (_closed || _flushing) return;
            _flushing = true;
        }

        Drain();
    }

    /// <summary>Queues a command or a subscription message ahead of the messages, between two of them.</summary>
    /// <param name="exempt">Whether it is a subscription, none of which may be lost while the connection lasts. Beyond the bound of <see
    /// cref="BoundSubscriptions"/> it does not.</param>
    /// <param name="forLink">Whether it is a PING or PONG that the link says in its own way: never sealed.</param>
    /// <returns>False when too much of that kind waits already, for a peer that asks and never reads.</returns>
    public bool SendControl(ReadOnlySpan<byte> frame, bool exempt, bool forLink = false)
    {
        if (!exempt || !IsFullOfSubscriptions(frame.Length)) return QueueControl(frame, exempt, forLink);
        // The next connection begins with what is wanted then: no more than that is ever kept for a peer that does not read.
        peer.Abort(new ZmtpException($"the peer does not read: {MaxSubscriptionBytes >> 20} MiB of subscriptions wait for it"));
        return false;
    }

    /// <summary>
    /// All that is subscribed to has been queued. What changes from here on may wait up to a bound, for a peer that does not read.
    /// </summary>
    public void BoundSubscriptions()
    {
        lock (_gate) _maxSubscriptionBytes = WaitingSubscriptionBytes + MaxSubscriptionBytes;
    }

    // Sealed ones are among the messages, which have a bound of their own.
    private long WaitingSubscriptionBytes => _control.Bytes + (_protection is null ? 0 : _queue.Bytes + _held.Bytes);

    private bool IsFullOfSubscriptions(int length)
    {
        lock (_gate)
        {
            if (_closed || _maxSubscriptionBytes == long.MaxValue) return false;
            var messages = _protection is null || _queue.Messages + _held.Messages == 0 ? 0 : _maxBytes;
            return messages <= long.MaxValue / 2 && WaitingSubscriptionBytes + length > _maxSubscriptionBytes + messages;
        }
    }

    private bool QueueControl(ReadOnlySpan<byte> frame, bool exempt, bool forLink)
    {
        lock (_gate)
        {
            if (_closed || (!exempt && _control.Bytes > MaxControlBytes)) return false;
            // In one piece: a control frame over two chunks would let a message in between.
            if (_protection is not null && !forLink)
            {
                // A box has its number when it is sealed, so it keeps its place: what is sealed first goes first.
                FrameHeader.TryParse(frame, long.MaxValue, out var header, out _);
                WriteProtected(header.Flags & FrameFlags.Command, frame[header.Size..]);
            }
            else
            {
                frame.CopyTo(_control.GetSpan(frame.Length));
                _control.Advance(frame.Length);
            }

            if (_flushing || _stream is not null) return true;
            _flushing = true;
        }

        Drain();
        return true;
    }

    /// <summary>Completes when nothing queued before is left to send, or at the close.</summary>
    public Task DrainedAsync()
    {
        lock (_gate)
        {
            // What is held back by a stream (messages, and commands for want of a frame's end) is queued after the stream's header.
            if (_closed || (!_flushing && _queue.IsEmpty && _queue.Messages == 0 && (_control.IsEmpty || _stream is not null))) return Task.CompletedTask;
            return (_drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Takes no more messages; what is queued goes out.</summary>
    public void Finish()
    {
        lock (_gate) _finished = true;
    }

    /// <summary>Drops everything; nothing is taken any more.</summary>
    /// <returns>Messages that were not sent to their last byte.</returns>
    public int Close()
    {
        TaskCompletionSource? drained;
        lock (_gate)
        {
            if (_closed) return _lost;
            _closed = true;
            _lost = _queue.Messages + _held.Messages + _inFlightMessages;
            _queue.Clear();
            _held.Clear();
            _control.Clear();
            // What is being sent is released by the sender, which will see the failure.
            drained = _drained;
            _drained = null;
        }

        drained?.TrySetResult();
        return _lost;
    }

    void IThreadPoolWorkItem.Execute()
    {
        lock (_gate)
        {
            _flushQueued = false;
            if (_flushing || _stream is not null) return;
            _flushing = true;
        }

        Drain();
    }

    void IFrameWriter.WriteFrame(ReadOnlySpan<byte> body, bool more)
    {
        if (_protection is not null)
        {
            WriteProtected(more ? FrameFlags.More : FrameFlags.None, body);
            return;
        }

        WriteHeader(FrameHeader.For(body.Length, more));
        Target.Write(body);
    }

    void IFrameWriter.WriteFrame(in ReadOnlySequence<byte> body, bool more)
    {
        if (_protection is not null)
        {
            WriteProtected(more ? FrameFlags.More : FrameFlags.None, body.IsSingleSegment ? body.FirstSpan : body.ToArray());
            return;
        }

        WriteHeader(FrameHeader.For(body.Length, more));
        foreach (var segment in body) Target.Write(segment.Span);
    }

    private void Write(in Parcel parcel)
    {
        for (var i = parcel.From; i < parcel.Head.Count; i++)
        {
            var frame = parcel.Head[i];
            var more = i < parcel.Head.Count - 1 || parcel.HasTail;
            if (frame.Length < Message.ByReference || _protection is not null) ((IFrameWriter)this).WriteFrame(frame.Span, more);
            else WriteShared(frame, more, parcel.Head);
        }

        if (parcel.HasTail) ((IFrameWriter)this).WriteFrame(parcel.Tail, more: false);
    }

    private void WriteShared(ReadOnlyMemory<byte> frame, bool more, Message owner)
    {
        WriteHeader(FrameHeader.For(frame.Length, more));
        Target.Write(frame, owner);
    }

    /// <summary>Seals a frame where it will be sent from.</summary>
    private void WriteProtected(FrameFlags flags, ReadOnlySpan<byte> body)
    {
        var length = body.Length + _protection!.Overhead;
        WriteHeader(FrameHeader.For(length));
        var target = Target;
        _protection.Seal(flags, body, target.GetSpan(length, insideFrame: true)[..length]);
        target.Advance(length);
    }

    private void WriteHeader(FrameHeader header)
    {
        if (!framed) return;
        var target = Target;
        target.Advance(header.Write(target.GetSpan(FrameHeader.MaxSize)));
    }

    private bool TryEncode<TState>(TState state, Action<TState, IFrameWriter> write)
    {
        if (!HasRoom)
        {
            _refused = true;
            return false;
        }

        var target = Target;
        var mark = target.Mark();
        try
        {
            write(state, this);
        }
        catch
        {
            // A half-written message must not reach the wire.
            target.Rewind(mark);
            throw;
        }

        peer.CountMessageOut();
        return true;
    }

    /// <summary>Sends until nothing is left. Only one thread is in here at a time: the one that set <c>_flushing</c>, or the completion of its last send.</summary>
    /// <remarks>
    /// Never throws: above it may be the top of a work item or of a completion, where an exception would end the process. What a transport
    /// throws, and what the owner throws who is told of room, ends this connection.
    /// </remarks>
    private void Drain()
    {
        try
        {
            SendAll();
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private void SendAll()
    {
        while (_sent < _sending.Length || TryTake())
        {
#pragma warning disable CA2012 // Consumed once, by Complete, at once or from its completion: awaiting would allocate a state machine.
            var awaiter = link.SendAsync(_sending.Memory[_sent..]).GetAwaiter();
#pragma warning restore CA2012
            if (!awaiter.IsCompleted)
            {
                _awaiter = awaiter;
                awaiter.UnsafeOnCompleted(_onSent ??= OnSent);
                return;
            }

            if (!Complete(awaiter)) return;
        }
    }

    private void OnSent()
    {
        var awaiter = _awaiter;
        _awaiter = default;
        if (Complete(awaiter)) Drain();
    }

    private bool Complete(ValueTaskAwaiter<int> awaiter)
    {
        try
        {
#pragma warning disable VSTHRD002 // Complete by then.
            var count = awaiter.GetResult();
#pragma warning restore VSTHRD002
            _sent += count;
            peer.CountOut(count);
            return true;
        }
        catch (Exception e)
        {
            // Whatever a transport throws is the end of this connection; in a completion there is nobody above to take it.
            Fail(e);
            return false;
        }
    }

    private bool TryTake()
    {
        TaskCompletionSource? drained = null;
        bool writable, taken;
        lock (_gate)
        {
            _sending.Release();
            _sending = default;
            (_sent, _inFlightMessages, _inFlightBytes) = (0, 0, 0);
            _unflushed = false;
            // Commands go between frames only: not into one that fills several chunks, and not behind the header of a streamed one.
            // What ZMTP 3.0 has instead of commands are messages, and those go between messages.
            var mayInterrupt = !_insideFrame && !(_insideMessage && peer.IsMinorZero) && _stream is null;
            taken = !_closed && mayInterrupt && _control.TryTake(out _sending);
            if (!taken)
            {
                taken = !_closed && _queue.TryTake(out _sending);
                (_insideFrame, _insideMessage) = (taken && _sending.EndsInsideFrame, taken && _sending.EndsInsideMessage);
            }

            if (taken)
            {
                (_inFlightMessages, _inFlightBytes) = (_sending.Messages, _sending.Length);
            }
            else
            {
                _flushing = false;
                (drained, _drained) = (_drained, null);
            }

            // Tell a refused writer at the low-water mark, half way down, so that the two do not alternate message by message.
            writable = _refused && HasRoom && _queue.Messages + _inFlightMessages <= _maxMessages / 2 && _queue.Bytes + _inFlightBytes <= _maxBytes / 2;
            if (writable) _refused = false;
        }

        drained?.TrySetResult();
        if (writable) peer.RaiseWritable();
        return taken;
    }

    private void Fail(Exception e)
    {
        lock (_gate)
        {
            _sending.Release();
            _sending = default;
            _sent = 0;
        }

        try
        {
            peer.Abort(e);
        }
        catch (Exception)
        {
            // The reason has been noted before anything could fail; a link that cannot even be aborted is let go by its read loop.
            return;
        }
    }
}
