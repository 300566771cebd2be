using System.Diagnostics.CodeAnalysis;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>A connection of a STREAM socket: bytes as they are, with no greeting, no handshake and no frames on the wire.</summary>
/// <remarks>What one read brings, up to 8 KiB, is one message of one frame; where a chunk ends means nothing.</remarks>
internal sealed class StreamPeer : LinkPeer
{
    private const int ChunkSize = 8 * 1024;
    private readonly Link _link;
    private readonly IPeerOwner _owner;
    private readonly Outbox _outbox;
    private readonly CancellationTokenSource _closing = new();
    private Exception? _abortReason;

    public StreamPeer(Link link, string endpoint, bool isOutgoing, ZmtpOptions options, IPeerOwner owner)
    {
        (_link, Endpoint, IsOutgoing, _owner) = (link, endpoint, isOutgoing, owner);
        _outbox = new Outbox(link, this, options, framed: false);
    }

    public override string Endpoint { get; }

    public override string Remote => _link.Remote;

    public override bool IsOutgoing { get; }

    public override bool IsWritable => _outbox.IsWritable;

    public override bool TryWrite<TState>(TState state, Action<TState, IFrameWriter> write, bool deferFlush = false) => _outbox.TryWrite(state, write, deferFlush);

    public override bool TryBeginStream<TState>(TState state, Action<TState, IFrameWriter> write, long length, [NotNullWhen(true)] out FrameStream? stream)
    {
        var begun = _outbox.TryBeginStream(state, write, length, out var wire);
        stream = wire;
        return begun && stream is not null;
    }

    internal override bool TakesPieces => true;

    internal override bool TryQueue(in Parcel parcel, FlushBatch batch)
    {
        if (!_outbox.TryQueue(parcel, out var isFirst)) return false;
        if (isFirst) batch.Add(this);
        return true;
    }

    internal override void Flush() => _outbox.Flush();

    public override void SendSubscription(ReadOnlySpan<byte> topic, bool subscribe) => throw new NotSupportedException("Nobody publishes on a raw connection.");

    public override void Abort(Exception reason)
    {
        Interlocked.CompareExchange(ref _abortReason, reason, null);
        _outbox.Close();
        _link.Abort();
        _ = _closing.CancelAsync();
    }

    public override Task FlushedAsync() => _outbox.DrainedAsync();

    internal override void Finish() => _outbox.Finish();

    /// <summary>Closes when what is queued has been handed to the system.</summary>
    public void Close() =>
        _ = FlushedAsync().ContinueWith(static (_, peer) => ((StreamPeer)peer!)._closing.CancelAsync(), this, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    public override async Task<Exception?> RunAsync(CancellationToken stopping)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, _closing.Token);
        IFrameSink? sink = null;
        Exception? reason = null;
        try
        {
            WasReady = true;
            Ready?.Invoke();
            sink = _owner.PeerReady(this);
            if (sink is null) return new ZmtpException("The socket takes no further peer.");
            await ReadAsync(sink, either.Token);
        }
        catch (Exception e)
        {
            // Whatever happened belongs to this connection alone; being closed by us is no failure.
            reason = Volatile.Read(ref _abortReason) ?? (either.IsCancellationRequested ? null : e);
        }
        finally
        {
            MessagesLost = _outbox.Close();
            await _link.DisposeAsync();
            sink?.Closed(reason);
            if (sink is not null) _owner.PeerGone(this);
        }

        return reason;
    }

    internal override void RaiseWritable() => _owner.PeerWritable(this);

    private async Task ReadAsync(IFrameSink sink, CancellationToken stopping)
    {
        var buffer = new byte[ChunkSize];
        while (await _link.ReceiveAsync(buffer, stopping) is > 0 and var count)
        {
            CountIn(count);
            CountMessageIn();
            var ready = sink.Accept(new FramePart(buffer.AsSpan(0, count), count, isFirst: true, isLast: true, more: false));
            sink.BatchEnd();
            // Not reading is the backpressure: the peer's TCP window closes.
            if (!ready) await sink.WhenReadyAsync(stopping);
        }
    }
}
