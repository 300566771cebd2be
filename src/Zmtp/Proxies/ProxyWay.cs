using Zmtp.Sockets;
using Zmtp.Wire;

namespace Zmtp.Proxies;

/// <summary>One way through a proxy: every peer of the source has a pipe that hands its messages to the target, in the peer's read loop.</summary>
/// <remarks>Pipes whose messages found no room wait in turns. A change at the target (a peer came or has room) empties them on the pool.</remarks>
internal sealed class ProxyWay : IPipeMaker, IThreadPoolWorkItem
{
    // Where a message is held as a whole, one peer's word is not enough to hold any length: a frame of 64 MiB, and the envelope in front of
    // it.
    private const long MaxHeldWhole = (64L << 20) + (64 << 10);

    private readonly Lock _gate = new();
    private readonly ZmtpProxy _proxy;
    private readonly ProxyDirection _direction;
    private readonly ZmtpSocket _target;
    private readonly ZmtpSocket? _monitor;
    private readonly HashSet<ProxyPipe> _pipes = [];
    private readonly Queue<ProxyPipe> _turns = new();
    private readonly FlushBatch _batch = new();
    private ProxyCounters _gone;
    private TaskCompletionSource? _idle;
    private volatile bool _anyWaits;
    private long _monitorMissed;
    private int _streams;
    private int _wakes;

    public ProxyWay(ZmtpProxy proxy, ProxyDirection direction, ZmtpSocket source, ZmtpSocket target, ProxyOptions options)
    {
        (_proxy, _direction, _target, _monitor) = (proxy, direction, target, options.Monitor);
        MonitorPrefix = direction == ProxyDirection.In ? options.InPrefix : options.OutPrefix;
        Swaps = source.Type == SocketType.Router && target.Type == SocketType.Router;
        FansOut = target.Type is SocketType.Pub or SocketType.XPub or SocketType.XSub or SocketType.Radio;
        (Settings, StreamAbove, Patience) = (source.Settings, options.StreamAbove, options.FullPeerTimeout);
        (StreamTimeout, StreamBytesPerSecond) = (options.StreamTimeout, options.StreamBytesPerSecond);
        MaxHeld = Settings.MaxMessageSize > 0 ? Array.MaxLength : MaxHeldWhole;
        source.Pipes = this;
        target.Changed = Wake;
    }

    public ZmtpOptions Settings { get; }

    public byte[]? MonitorPrefix { get; }

    /// <summary>Between two ROUTERs the first frame names the peer to go to, so it changes places with the sender's identity.</summary>
    public bool Swaps { get; }

    public bool FansOut { get; }

    public long StreamAbove { get; }

    public TimeSpan Patience { get; }

    public TimeSpan StreamTimeout { get; }

    public long StreamBytesPerSecond { get; }

    /// <summary>Largest message that is held as a whole, where the source's own limit does not say it.</summary>
    public long MaxHeld { get; }

    /// <summary>
    /// Whether the source has several peers: then a frame that one of them breaks off must not cost the others a connection at the target.
    /// </summary>
    private bool IsShared
    {
        get
        {
            lock (_gate) return _pipes.Count > 1;
        }
    }

    public bool IsOpen => _proxy.State == ProxyState.Running;

    /// <summary>Whether pipes are to stop reading after the message that they have.</summary>
    public bool IsEnding => _proxy.State >= ProxyState.Draining;

    /// <summary>Whether what waits may be sent.</summary>
    public bool MaySend => _proxy.State is ProxyState.Running or ProxyState.Draining;

    public bool IsMonitored => _monitor is { HasPeers: true };

    public long MonitorMissed => Volatile.Read(ref _monitorMissed);

    public ProxyTraffic Traffic
    {
        get
        {
            ProxyCounters sum;
            ProxyPipe[] pipes;
            lock (_gate) (sum, pipes) = (_gone, [.. _pipes]);
            long waiting = 0;
            foreach (var pipe in pipes)
            {
                sum.Add(pipe.Counters);
                waiting += pipe.Waiting;
            }

            // A publisher counts each subscriber that missed a message; what else is dropped has passed here.
            var missed = _target switch
            {
                PublishingSocket publisher => publisher.Dropped,
                RadioSocket radio => radio.Dropped,
                _ => 0,
            };
            return new ProxyTraffic(
                sum.Messages, sum.Frames, sum.Bytes, sum.Frames - sum.DroppedFrames, sum.Bytes - sum.DroppedBytes, sum.Dropped + missed, sum.Lost + _target.MessagesLost, waiting);
        }
    }

    public IncomingPipe MakePipe(Peer peer, byte[]? prefix, Func<Message, bool>? filter)
    {
        var pipe = new ProxyPipe(this, peer, prefix, filter);
        lock (_gate) _pipes.Add(pipe);
        return pipe;
    }

    /// <summary>Hands a message to the target.</summary>
    public ForwardOutcome Forward(in Parcel parcel, FlushBatch batch)
    {
        var outcome = _target.Forward(parcel, batch);
        if (outcome != ForwardOutcome.Full) _proxy.Tap?.Invoke(_direction, new ProxyMessage(parcel));
        return outcome;
    }

    /// <summary>Hands a copy of what was taken to the monitor, which misses it if it has no room.</summary>
    public void Show(Message message, FlushBatch batch)
    {
        if (_monitor!.Forward(new Parcel(message, 0), batch) == ForwardOutcome.Full) Interlocked.Increment(ref _monitorMissed);
    }

    public ForwardOutcome TryBegin(in Parcel head, long length, ReadOnlySpan<byte> first, out FrameStream? stream)
    {
        stream = null;
        if (IsShared) return ForwardOutcome.NotInPieces;
        var outcome = _target.TryBegin(head, length, out stream);
        // Behind others' messages it stands as a whole; what is too long for that waits until they have left.
        if (outcome == ForwardOutcome.Busy) return length <= MaxHeld ? ForwardOutcome.NotInPieces : ForwardOutcome.Full;
        if (outcome == ForwardOutcome.Sent) Interlocked.Increment(ref _streams);
        if (outcome is ForwardOutcome.Sent or ForwardOutcome.Dropped) _proxy.Tap?.Invoke(_direction, new ProxyMessage(new Parcel(head.Head, head.From, first), length));
        return outcome;
    }

    public void StreamEnded()
    {
        Interlocked.Decrement(ref _streams);
        // What was not queued behind the frame has its turn.
        Wake();
        CheckIdle();
    }

    public bool GiveUp(in Parcel parcel) => _target.GiveUp(parcel);

    public long Now => Settings.Time.GetTimestamp();

    public bool IsOver(long since) => Settings.Time.GetElapsedTime(since) >= Patience;

    /// <summary>A pipe has a message that found no room.</summary>
    public void Wait(ProxyPipe pipe)
    {
        lock (_gate)
        {
            _turns.Enqueue(pipe);
            _anyWaits = true;
        }

        // There may have been a change before the pipe stood here.
        Wake();
    }

    /// <summary>Something changed: those who wait may try again.</summary>
    public void Wake()
    {
        if (_anyWaits && Interlocked.Increment(ref _wakes) == 1) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The peer of a pipe is gone and nothing of it waits.</summary>
    public void Retire(ProxyPipe pipe)
    {
        lock (_gate)
        {
            if (!_pipes.Remove(pipe)) return;
            _gone.Add(pipe.Counters);
        }
    }

    /// <summary>Counts what came beside a pipe's own messages.</summary>
    public void Count(in ProxyCounters counters)
    {
        lock (_gate) _gone.Add(counters);
    }

    /// <summary>Completes when nothing waits and no frame is under way.</summary>
    public Task IdleAsync()
    {
        Task idle;
        lock (_gate) idle = (_idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        CheckIdle();
        return idle;
    }

    void IThreadPoolWorkItem.Execute()
    {
        int seen;
        do
        {
            seen = Volatile.Read(ref _wakes);
            try
            {
                Round();
            }
#pragma warning disable CA1031 // The top of a work item: a defect must end the proxy with its reason, not the process.
            catch (Exception e)
#pragma warning restore CA1031
            {
                _proxy.Fail(e);
            }
        }
        while (Interlocked.Add(ref _wakes, -seen) != 0);
    }

    private void Round()
    {
        int turns;
        lock (_gate) turns = _turns.Count;
        var goesOn = true;
        while (goesOn && turns-- > 0 && _proxy.State != ProxyState.Paused)
        {
            ProxyPipe? pipe;
            lock (_gate)
            {
                if (!_turns.TryDequeue(out pipe)) break;
            }

            var isEmpty = false;
            try
            {
                isEmpty = TakeTurn(pipe);
            }
            finally
            {
                lock (_gate)
                {
                    if (!isEmpty) _turns.Enqueue(pipe);
                    _anyWaits = _turns.Count > 0;
                }
            }

            // Nobody has room, so nobody else need try; a ROUTER's peers differ.
            goesOn = isEmpty || _target.Type == SocketType.Router;
        }

        _batch.Flush();
        CheckIdle();
    }

    private bool TakeTurn(ProxyPipe pipe)
    {
        if (_proxy.State != ProxyState.Stopped) return pipe.TrySendWaiting(_batch);
        // The end: what still waits is lost.
        pipe.Abandon();
        return true;
    }

    private void CheckIdle()
    {
        TaskCompletionSource? idle;
        lock (_gate)
        {
            if (_idle is null || _turns.Count > 0 || Volatile.Read(ref _streams) > 0) return;
            (idle, _idle) = (_idle, null);
        }

        idle.TrySetResult();
    }
}

/// <summary>Counts of one pipe, or of all that are gone.</summary>
internal struct ProxyCounters
{
    public long Messages;
    public long Frames;
    public long Bytes;
    public long Dropped;
    public long DroppedFrames;
    public long DroppedBytes;
    public long Lost;

    public void Take(int frames, long bytes, bool isDropped)
    {
        Messages++;
        Frames += frames;
        Bytes += bytes;
        if (!isDropped) return;
        Dropped++;
        DroppedFrames += frames;
        DroppedBytes += bytes;
    }

    public void Add(in ProxyCounters other)
    {
        Messages += other.Messages;
        Frames += other.Frames;
        Bytes += other.Bytes;
        Dropped += other.Dropped;
        DroppedFrames += other.DroppedFrames;
        DroppedBytes += other.DroppedBytes;
        Lost += other.Lost;
    }
}
