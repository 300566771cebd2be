using System.Buffers;
using System.Buffers.Binary;
using Zmtp.Wire;

namespace Gateway.Backends.Calling;

/// <summary>
/// The rest of a reply whose client is slow, put aside so that its lane is free for others: the lane's read loop appends parts, a task of
/// its own hands them to the call at the client's pace and ends it.
/// </summary>
/// <remarks>
/// It owns the call from its construction on. What the client has not taken is in memory up to <see cref="FileThreshold"/> bytes, then in a
/// temporary file. When the client has caught up, all of it is given back at once. Beyond the bound of the <see cref="ReplyStore"/> the
/// read loop waits for that.
/// </remarks>
internal sealed class StoredReply
{
    private const int FileThreshold = 256 * 1024;
    private const int HeaderSize = 13;
    private readonly Lock _gate = new();
    private readonly ILaneOwner _owner;
    private readonly PendingCall _call;
    private byte[] _tail = ArrayPool<byte>.Shared.Rent(FileThreshold);
    private int _tailLength;
    private FileStream? _file;
    private long _fileLength;
    private long _read;
    private long _counted;
    private bool _isOverBound;
    private bool _isWriting;
    private bool _ended;
    private bool _isReleased;
    private Exception? _failure;
    private TaskCompletionSource? _arrived;
    private TaskCompletionSource? _caughtUp;

    /// <param name="clientReady">Completes when the client takes the next part.</param>
    public StoredReply(ILaneOwner owner, PendingCall call, Task clientReady)
    {
        (_owner, _call) = (owner, call);
        _ = HandOverAsync(clientReady);
    }

    [Flags]
    private enum PartFlags : byte
    {
        None = 0,
        First = 1,
        Last = 2,
        More = 4,
    }

    /// <summary>Appends a part, on the lane's read loop.</summary>
    /// <returns>False when <see cref="WhenRoomAsync"/> has to be awaited before the next.</returns>
    public bool Add(in FramePart part)
    {
        lock (_gate)
        {
            if (_failure is not null) return true;
            var size = HeaderSize + part.Bytes.Length;
            MakeRoom(size);
            var header = _tail.AsSpan(_tailLength);
            BinaryPrimitives.WriteInt32LittleEndian(header, part.Bytes.Length);
            BinaryPrimitives.WriteInt64LittleEndian(header[4..], part.FrameLength);
            header[12] = (byte)(
                (part.IsFirst ? PartFlags.First : 0) | (part.IsLast ? PartFlags.Last : 0) | (part.More ? PartFlags.More : 0));
            part.Bytes.CopyTo(header[HeaderSize..]);
            _tailLength += size;
            _counted += size;
            _isOverBound = !_owner.Replies.Add(size);
            Wake(ref _arrived);
            return _tailLength < FileThreshold && !_isOverBound;
        }
    }

    /// <summary>
    /// Completes when further parts may come: the tail is in the file, or the client has caught up where no more may be held.
    /// </summary>
    public async ValueTask WhenRoomAsync(CancellationToken stopping)
    {
        Task? caughtUp = null;
        lock (_gate)
        {
            if (_failure is not null || IsCaughtUp) return;
            if (_isOverBound) caughtUp = (_caughtUp ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            else _isWriting = true;
        }

        if (caughtUp is not null)
        {
            await caughtUp.WaitAsync(stopping);
            return;
        }

        try
        {
            // Only this loop appends, so the tail stays as it is meanwhile; the other side may read it.
            _file ??= TemporaryFile.Create();
            await RandomAccess.WriteAsync(_file.SafeFileHandle, _tail.AsMemory(0, _tailLength), _fileLength, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            lock (_gate) _isWriting = false;
            Abort(new BackendException(StatusCodes.Status502BadGateway, "reply-not-stored",
                "The reply could not be put aside for its client, who takes it too slowly.", e));
            return;
        }

        lock (_gate)
        {
            _isWriting = false;
            // Nothing is left to move when the client has caught up meanwhile.
            if (!IsCaughtUp) (_fileLength, _tailLength) = (_fileLength + _tailLength, 0);
            if (_isReleased) _file.Dispose();
        }
    }

    /// <summary>The reply's last part was added.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            Wake(ref _arrived);
        }
    }

    /// <summary>The rest of the reply will not come.</summary>
    public void Abort(Exception failure)
    {
        lock (_gate)
        {
            _failure ??= failure;
            Wake(ref _arrived);
        }
    }

    private bool IsCaughtUp => _read == _fileLength + _tailLength;

    private async Task HandOverAsync(Task clientReady)
    {
        Exception? failure = null;
        var buffer = ArrayPool<byte>.Shared.Rent(FileThreshold);
        try
        {
            await clientReady.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            while (true)
            {
                if (await ReadAsync(buffer.AsMemory(0, HeaderSize)) == 0) break;
                var length = BinaryPrimitives.ReadInt32LittleEndian(buffer);
                var frameLength = BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(4));
                var flags = (PartFlags)buffer[12];
                if (length > buffer.Length)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = ArrayPool<byte>.Shared.Rent(length);
                }

                await ReadAsync(buffer.AsMemory(0, length));
                var part = new FramePart(buffer.AsSpan(0, length), frameLength, flags.HasFlag(PartFlags.First),
                    flags.HasFlag(PartFlags.Last), flags.HasFlag(PartFlags.More));
                if (!_call.Call.Accept(part)) await _call.Call.WhenReadyAsync(CancellationToken.None);
            }
        }
        catch (Exception e)
        {
            failure = e;
        }

        ArrayPool<byte>.Shared.Return(buffer);
        Release(failure);
        // What the peer did was reported when its last part came.
        _owner.End(_call, CallEnd.Abandoned, failure);
    }

    private static void Wake(ref TaskCompletionSource? waiting)
    {
        waiting?.TrySetResult();
        waiting = null;
    }

    private void MakeRoom(int size)
    {
        if (_tail.Length - _tailLength >= size) return;
        var larger = ArrayPool<byte>.Shared.Rent(_tailLength + size);
        _tail.AsSpan(0, _tailLength).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_tail);
        _tail = larger;
    }

    /// <summary>The client has everything that came so far: nothing of it is held any more.</summary>
    private void Forget()
    {
        _owner.Replies.Remove(_counted);
        (_read, _fileLength, _tailLength, _counted, _isOverBound) = (0, 0, 0, 0, false);
        if (!_isWriting) _file?.SetLength(0);
        Wake(ref _caughtUp);
    }

    private void Release(Exception? failure)
    {
        lock (_gate)
        {
            // What the lane still adds is dropped.
            _failure ??= failure ?? new ObjectDisposedException(nameof(StoredReply));
            Forget();
            _isReleased = true;
            // Where a write is under way, it closes the file and the array is left to the collector.
            if (_isWriting) return;
            _file?.Dispose();
            ArrayPool<byte>.Shared.Return(_tail);
            _tail = [];
        }
    }

    /// <returns>Bytes read: all that were asked for, or 0 at the end.</returns>
    private async ValueTask<int> ReadAsync(Memory<byte> target)
    {
        if (target.IsEmpty) return 0;
        while (true)
        {
            Task? arrived = null;
            long from = 0;
            lock (_gate)
            {
                if (_failure is not null) throw _failure;
                if (_read >= _fileLength && IsCaughtUp)
                {
                    // A part is appended as a whole, so nothing ends inside one.
                    if (_ended) return 0;
                    Forget();
                    arrived = (_arrived ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                }
                else if (_read >= _fileLength)
                {
                    _tail.AsSpan((int)(_read - _fileLength), target.Length).CopyTo(target.Span);
                    _read += target.Length;
                    return target.Length;
                }
                else
                {
                    from = _read;
                }
            }

            if (arrived is not null)
            {
                await arrived;
                continue;
            }

            // What is in the file stays there, and a part is in it as a whole.
            for (var at = 0; at < target.Length;)
            {
                var count = await RandomAccess.ReadAsync(_file!.SafeFileHandle, target[at..], from + at, CancellationToken.None);
                if (count == 0) throw new IOException("The temporary file of a reply ended early.");
                at += count;
            }

            lock (_gate) _read += target.Length;
            return target.Length;
        }
    }
}
