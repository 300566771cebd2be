using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>
/// A queue in front of a connection, which a socket takes for the peer. For an endpoint that is connected to without IMMEDIATE it is there
/// before the first connection and over all of them (libzmq's pipe); with CONFLATE it is there with its connection and holds one message.
/// </summary>
/// <remarks>
/// The connection below gets little at a time: what was handed to it is lost with it, what waits here is not. The lock is held while messages
/// are handed down; the connection calls back outside its own.
/// </remarks>
internal sealed class QueuedPeer(string endpoint, bool isOutgoing, bool isLasting, ZmtpOptions options, IPeerOwner owner) : Peer, IPeerOwner
{
    private const int MaxBytesBelow = 64 * 1024;
    private const int MaxMessagesBelow = 100;
    private readonly Lock _gate = new();
    private readonly Queue<Message> _queue = new();
    private IFrameSink? _sink;
    private Peer? _below;
    private TaskCompletionSource? _drained;
    private long _bytes;
    private long _conflated;
    private bool _handsDown;
    private bool _refused;
    private bool _finished;
    private bool _closed;

    public override string Endpoint => endpoint;

    public override string Remote => _below?.Remote ?? endpoint;

    public override bool IsOutgoing => isOutgoing;

    public override bool IsWritable
    {
        get
        {
            lock (_gate)
            {
                _refused |= !HasRoom;
                return HasRoom;
            }
        }
    }

    /// <summary>Messages that a newer one took the place of.</summary>
    public long Conflated => Volatile.Read(ref _conflated);

    /// <summary>Whether it is there over all connections to its endpoint.</summary>
    public bool IsLasting => isLasting;

    internal override bool TakesPieces => false;

    private bool HasRoom => !_closed && !_finished && (options.Conflate
        || ((options.SendHighWaterMark == 0 || _queue.Count < options.SendHighWaterMark) && (options.SendHighWaterMarkBytes == 0 || _bytes < options.SendHighWaterMarkBytes)));

    /// <summary>Whether sockets of a type queue for an endpoint that is not connected yet.</summary>
    public static bool IsFor(SocketType type) =>
        type is SocketType.Req or SocketType.Dealer or SocketType.Push or SocketType.Pair or SocketType.Client or SocketType.Scatter or SocketType.Channel;

    /// <summary>The options of connections below: little is handed to them at a time.</summary>
    public static ZmtpOptions Below(ZmtpOptions options)
    {
        var below = options.Copy();
        below.SendHighWaterMark = options.Conflate ? 1 : MaxMessagesBelow;
        below.SendHighWaterMarkBytes = MaxBytesBelow;
        return below;
    }

    /// <summary>Makes a lasting one known to the socket.</summary>
    /// <returns>False when the socket takes no further peer.</returns>
    public bool Open()
    {
        _sink = owner.PeerReady(this);
        return _sink is not null;
    }

    /// <summary>Ends a lasting one.</summary>
    public void Close()
    {
        DropQueue();
        _sink?.Closed(null);
        owner.PeerGone(this);
    }

    public IFrameSink? PeerReady(Peer peer)
    {
        (Type, Identity, Properties, UserId) = (peer.Type, peer.Identity, peer.Properties, peer.UserId);
        lock (_gate) _below = peer;
        if (isLasting) ZmtpSocket.Greet(peer, options);
        else _sink = owner.PeerReady(this);
        if (_sink is null) return null;
        HandDown();
        return new PassingSink(this, _sink);
    }

    public void PeerWritable(Peer peer) => HandDown();

    public void PeerGone(Peer peer)
    {
        lock (_gate)
        {
            MessagesLost += peer.MessagesLost;
            _below = null;
        }

        if (!isLasting)
        {
            DropQueue();
            owner.PeerGone(this);
        }
        else if (options.HiccupMessage.Length > 0 && !IsLeaving)
        {
            Incoming?.Enqueue(Message.Of(options.HiccupMessage));
        }
    }

    public bool PeerSubscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe) => owner.PeerSubscribed(this, topic, subscribe);

    public override bool TryWrite<TState>(TState state, Action<TState, IFrameWriter> write, bool deferFlush = false)
    {
        if (!IsWritable) return false;
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

        return Take(message);
    }

    public override bool TrySend(Message message, bool deferFlush = false) => IsWritable && Take(message.Retain());

    public override bool TryBeginStream<TState>(TState state, Action<TState, IFrameWriter> write, long length, [NotNullWhen(true)] out FrameStream? stream)
    {
        stream = IsWritable ? CollectingFrameStream.Begin(this, state, write, length, Array.MaxLength) : null;
        return stream is not null;
    }

    public override void SendSubscription(ReadOnlySpan<byte> topic, bool subscribe) => _below?.SendSubscription(topic, subscribe);

    public override void Abort(Exception reason) => _below?.Abort(reason);

    public override async Task FlushedAsync()
    {
        Task drained;
        lock (_gate)
        {
            drained = _queue.Count == 0 || _closed ? Task.CompletedTask : (_drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        await drained;
        await (_below?.FlushedAsync() ?? Task.CompletedTask);
    }

    internal override void Finish()
    {
        lock (_gate) _finished = true;
    }

    internal override bool TryQueue(in Parcel parcel, FlushBatch batch) => IsWritable && Take(parcel.ToMessage());

    internal override void Flush() => HandDown();

    /// <summary>Queues a message, which is taken over in any case.</summary>
    private bool Take(Message message)
    {
        lock (_gate)
        {
            if (!HasRoom)
            {
                _refused = true;
                message.Dispose();
                return false;
            }

            if (options.Conflate && _queue.TryDequeue(out var older))
            {
                _bytes -= older.Length;
                older.Dispose();
                _conflated++;
            }

            _queue.Enqueue(message);
            _bytes += message.Length;
            CountMessageOut();
        }

        HandDown();
        return true;
    }

    private void HandDown()
    {
        TaskCompletionSource? drained = null;
        bool writable;
        lock (_gate)
        {
            // A connection that has sent at once says that it has room, in the middle of this.
            if (_handsDown) return;
            _handsDown = true;
            while (_below is { } below && _queue.TryPeek(out var message) && below.TrySend(message))
            {
                _queue.Dequeue();
                _bytes -= message.Length;
                message.Dispose();
            }

            _handsDown = false;
            if (_queue.Count == 0) (drained, _drained) = (_drained, null);
            // Half way down, so that the two do not alternate message by message.
            writable = _refused && HasRoom && (_queue.Count <= options.SendHighWaterMark / 2 || _queue.Count == 0);
            if (writable) _refused = false;
        }

        drained?.TrySetResult();
        if (writable) owner.PeerWritable(this);
    }

    private void DropQueue()
    {
        TaskCompletionSource? drained;
        lock (_gate)
        {
            _closed = true;
            MessagesLost += _queue.Count;
            while (_queue.TryDequeue(out var message)) message.Dispose();
            _bytes = 0;
            (drained, _drained) = (_drained, null);
        }

        drained?.TrySetResult();
    }

    /// <summary>What a connection sends goes to the socket's sink, which outlives it.</summary>
    private sealed class PassingSink(QueuedPeer peer, IFrameSink sink) : IFrameSink
    {
        public bool Accept(in FramePart part)
        {
            if (part.EndsMessage) peer.CountMessageIn();
            return sink.Accept(part);
        }

        public ValueTask WhenReadyAsync(CancellationToken stopping) => sink.WhenReadyAsync(stopping);

        public void BatchEnd() => sink.BatchEnd();

        // An unfinished message ends with its connection, also where the socket does not learn of that.
        public void Closed(Exception? reason) => sink.Closed(reason);
    }
}
