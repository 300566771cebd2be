using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Backends.Calling;

/// <summary>
/// The other end of a lane in the model of calls: remembers requests and answers them when told to, each reply naming its request.
/// </summary>
internal sealed class ModelPeer(string endpoint, Action<ModelPeer> interleave, Action<string> violated) : Peer
{
    private readonly Lock _gate = new();
    private readonly List<(byte[] Id, int Number)> _requests = [];
    private readonly List<(byte[] Id, int Number)> _answered = [];
    private Task _busy = Task.CompletedTask;
    private volatile bool _isClosed;

    /// <summary>Where its replies go.</summary>
    public IFrameSink Sink { get; set; } = null!;

    /// <summary>Told when the connection has ended.</summary>
    public Action<ModelPeer> Gone { get; set; } = static _ => { };

    /// <summary>Whether requests are refused for want of room.</summary>
    public bool IsFull { get; set; }

    public bool IsClosed => _isClosed;

    public override string Endpoint => endpoint;

    public override string Remote => endpoint;

    public override bool IsOutgoing => true;

    public override bool IsWritable => !_isClosed && !IsFull;

    internal override bool TakesPieces => true;

    public override bool TryWrite<TState>(TState state, Action<TState, IFrameWriter> write, bool deferFlush = false)
    {
        interleave(this);
        if (_isClosed || IsFull) return false;
        var writer = new RecordingFrameWriter();
        write(state, writer);
        lock (_gate) _requests.Add((writer.Frames[0], Number(writer)));
        interleave(this);
        return true;
    }

    public override bool TryBeginStream<TState>(TState state, Action<TState, IFrameWriter> write, long length,
        [NotNullWhen(true)] out FrameStream? stream)
    {
        stream = null;
        interleave(this);
        if (_isClosed || IsFull) return false;
        var writer = new RecordingFrameWriter();
        write(state, writer);
        lock (_gate) _requests.Add((writer.Frames[0], Number(writer)));
        stream = new ModelStream(this, length);
        interleave(this);
        return true;
    }

    /// <summary>Answers one of its requests, whole or in two parts; sometimes one that it has answered before.</summary>
    public void Reply(Random random)
    {
        // One read loop: whoever is not it comes again later.
        if (!Monitor.TryEnter(_requests)) return;
        try
        {
            if (_isClosed || !_busy.IsCompleted) return;
            (byte[] Id, int Number) request;
            lock (_gate)
            {
                var again = _answered.Count > 0 && random.Next(20) == 0;
                var from = again ? _answered : _requests;
                if (from.Count == 0) return;
                var index = random.Next(from.Count);
                request = from[index];
                if (!again)
                {
                    _requests.RemoveAt(index);
                    if (_answered.Count < 16) _answered.Add(request);
                }
            }

            var body = Encoding.ASCII.GetBytes($"re:{request.Number}");
            Deliver(new FramePart(request.Id, 8, true, true, true));
            Deliver(new FramePart([], 0, true, true, true));
            _busy = NotedAsync(random.Next(4) == 0 ? InPartsAsync(body, random.Next(3) == 0)
                : DeliverAsync(body, 0, body.Length, body.Length));
        }
        finally
        {
            Monitor.Exit(_requests);
        }
    }

    public override void SendSubscription(ReadOnlySpan<byte> topic, bool subscribe)
    {
    }

    /// <summary>Ends the connection: what it held is lost.</summary>
    public override void Abort(Exception reason)
    {
        lock (_gate)
        {
            if (_isClosed) return;
            _isClosed = true;
        }

        // On a read loop of its own, as a connection's end comes; never under the lock of whoever ends it.
        ThreadPool.UnsafeQueueUserWorkItem(static s => _ = s.peer.EndAsync(s.reason), (peer: this, reason), preferLocal: false);
    }

    public override Task FlushedAsync() => Task.CompletedTask;

    internal override bool TryQueue(in Parcel parcel, FlushBatch batch) => false;

    internal override void Flush()
    {
    }

    internal override void Finish()
    {
    }

    private static int Number(RecordingFrameWriter writer)
    {
        Assert.Equal((8, 0), (writer.Frames[0].Length, writer.Frames[1].Length));
        Assert.NotEqual(0UL, BinaryPrimitives.ReadUInt64BigEndian(writer.Frames[0]));
        return int.Parse(Encoding.ASCII.GetString(writer.Frames[2]), CultureInfo.InvariantCulture);
    }

    private void Deliver(in FramePart part) => Sink.Accept(part);

    private async Task NotedAsync(Task delivering)
    {
        try
        {
            await delivering;
        }
        catch (Exception e)
        {
            violated($"a lane threw: {e}");
        }
    }

    private async Task InPartsAsync(byte[] body, bool breaksOff)
    {
        await DeliverAsync(body, 0, 2, body.Length);
        if (breaksOff) Abort(new ZmtpException("The peer died inside a reply."));
        else await DeliverAsync(body, 2, body.Length, body.Length);
    }

    private async Task DeliverAsync(byte[] body, int from, int to, long length)
    {
        if (Sink.Accept(new FramePart(body.AsSpan(from, to - from), length, from == 0, to == length, false))) return;
        await Sink.WhenReadyAsync(CancellationToken.None);
    }

    private async Task EndAsync(Exception reason)
    {
        Task busy;
        lock (_requests) busy = _busy;
        // The read loop ends before its sink hears of the end.
        await busy;
        lock (_requests) Sink.Closed(reason);
        Gone(this);
    }

    private sealed class ModelStream : FrameStream
    {
        private readonly ModelPeer _peer;

        public ModelStream(ModelPeer peer, long length)
        {
            _peer = peer;
            Left = length;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            if (_peer.IsClosed) throw new ZmtpException("The connection ended inside a streamed frame.");
            Left -= bytes.Length;
            return default;
        }

        public override ValueTask DisposeAsync()
        {
            if (Left > 0) _peer.Abort(new ZmtpAbandonedException("A streamed frame was given up."));
            return default;
        }
    }
}
