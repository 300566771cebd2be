using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Gateway.Connections;

/// <summary>
/// The outgoing half of a web connection, written straight to its socket: a flush is a send. Kestrel's own goes through a second pipe and a
/// thread hop, and says that a flush is done before anything was sent.
/// </summary>
/// <remarks>
/// Two things rest on this: a response leaves on the thread that completed it, and after the flush of a WebSocket's 101 the socket belongs to
/// its new writer, because nothing of Kestrel's is still on its way. One writer at a time; bytes may be added while a flush is pending.
/// </remarks>
internal sealed class DirectOutput(Socket socket, PipeWriter inner) : PipeWriter, ISendProgress
{
    // Of tcp(7): level, option, and where in struct tcp_info stands the 64-bit number of bytes that the other side has acknowledged.
    private const int TcpLevel = 6;
    private const int TcpInfo = 11;
    private const int AcknowledgedAt = 120;
    private const int SmallBuffer = 4 * 1024;
    private const int LargeBuffer = 64 * 1024;
    private readonly Lock _gate = new();
    private readonly Queue<Filled> _filled = new();
    private byte[]? _tail;
    private int _tailLength;
    private long _unflushed;
    private long _sentBytes;
    private bool _sending;
    private bool _failed;
    private bool _completed;
    private Exception? _completion;
    private TaskCompletionSource? _sent;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => Volatile.Read(ref _unflushed);

    /// <inheritdoc/>
    /// <remarks>
    /// On Linux's TCP what the client's kernel has acknowledged: a send of 64 KiB to a slow client is progress with every segment.
    /// </remarks>
    public long TakenBytes
    {
        get
        {
            if (!OperatingSystem.IsLinux() || socket.ProtocolType != ProtocolType.Tcp) return Volatile.Read(ref _sentBytes);
            try
            {
                Span<byte> info = stackalloc byte[AcknowledgedAt + sizeof(long)];
                return socket.GetRawSocketOption(TcpLevel, TcpInfo, info) == info.Length ? BitConverter.ToInt64(info[AcknowledgedAt..])
                    : Volatile.Read(ref _sentBytes);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return Volatile.Read(ref _sentBytes);
            }
        }
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _tail.AsMemory(_tailLength);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _tail.AsSpan(_tailLength);
    }

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)bytes, (uint)((_tail?.Length ?? 0) - _tailLength), nameof(bytes));
        _tailLength += bytes;
        _unflushed += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_failed) return new(new FlushResult(isCanceled: false, isCompleted: true));
            SealTail();
            _unflushed = 0;
            // A flush during a flush: the one that sends takes these bytes along, and its caller is the one that waits.
            if (_sending || _filled.Count == 0) return new(new FlushResult(false, false));
            _sending = true;
        }

        return SendAsync();
    }

    public override void CancelPendingFlush()
    {
        // Kestrel cancels a flush only to abort its connection; that ends the send.
    }

    /// <summary>Completes when nothing is being sent; the connection may be closed then without cutting its last bytes off.</summary>
    public Task SentAsync()
    {
        lock (_gate)
        {
            if (!_sending) return Task.CompletedTask;
            return (_sent ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    public override void Complete(Exception? exception = null)
    {
        lock (_gate)
        {
            if (_completed) return;
            (_completed, _completion) = (true, exception);
            SealTail();
            // Completing the inner pipe makes Kestrel shut the socket down: only after the last byte has gone.
            if (_sending) return;
            if (exception is null && !_failed && _filled.Count > 0)
            {
                _sending = true;
            }
            else
            {
                Drop();
                inner.Complete(exception);
                return;
            }
        }

        var sending = SendAsync();
        if (!sending.IsCompletedSuccessfully) _ = sending.AsTask();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> SendAsync()
    {
        while (true)
        {
            if (!TryTake(out var filled))
            {
                if (_completed) await inner.CompleteAsync(_completion);
                return new FlushResult(isCanceled: false, isCompleted: _failed);
            }

            try
            {
                for (var sent = 0; sent < filled.Length;)
                {
                    var count = await socket.SendAsync(filled.Array.AsMemory(sent, filled.Length - sent), SocketFlags.None,
                        CancellationToken.None);
                    sent += count;
                    // One writer at a time.
                    Volatile.Write(ref _sentBytes, _sentBytes + count);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                lock (_gate)
                {
                    _failed = true;
                    Drop();
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(filled.Array);
            }
        }
    }

    private bool TryTake(out Filled filled)
    {
        lock (_gate)
        {
            filled = default;
            if (!_failed && _filled.TryDequeue(out filled)) return true;
            _sending = false;
            _sent?.TrySetResult();
            return false;
        }
    }

    private void MakeRoom(int sizeHint)
    {
        if (_tail is not null && _tail.Length - _tailLength >= Math.Max(sizeHint, 1)) return;
        // The first buffer is small, for most responses are; a response that fills it is a large one.
        var size = Math.Max(sizeHint, _unflushed == 0 ? SmallBuffer : LargeBuffer);
        if (_tailLength is > 0 and <= SmallBuffer)
        {
            // A header and the start of a body move along into the larger buffer: one send instead of one per buffer.
            var larger = ArrayPool<byte>.Shared.Rent(_tailLength + size);
            _tail.AsSpan(0, _tailLength).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_tail!);
            _tail = larger;
            return;
        }

        lock (_gate) SealTail();
        _tail = ArrayPool<byte>.Shared.Rent(size);
    }

    private void SealTail()
    {
        if (_tail is null) return;
        if (_tailLength > 0) _filled.Enqueue(new Filled(_tail, _tailLength));
        else ArrayPool<byte>.Shared.Return(_tail);
        (_tail, _tailLength) = (null, 0);
    }

    private void Drop()
    {
        while (_filled.TryDequeue(out var filled)) ArrayPool<byte>.Shared.Return(filled.Array);
    }

    private readonly record struct Filled(byte[] Array, int Length);
}
