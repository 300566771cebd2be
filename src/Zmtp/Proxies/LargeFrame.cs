using System.Buffers;
using Zmtp.Sockets;

namespace Zmtp.Proxies;

/// <summary>The last frame of a message, sent on while it arrives: one piece at a time, and the source is read no further while the target is slow.</summary>
/// <param name="length">Bytes of the frame.</param>
/// <param name="source">Who sends it; it loses its connection when the bytes do not come.</param>
internal sealed class LargeFrame(long length, Peer source)
{
    // The pace is looked at between two of these.
    private const int MaxPiece = 64 * 1024;

    private readonly Lock _gate = new();
    private ITimer? _timer;
    private TimeProvider _time = TimeProvider.System;
    private TimeSpan _window;
    private long _leastBytes;
    private long _leftBefore;
    private long _windowBegan;
    private TimeSpan _taking;
    private long? _takingSince;
    private FrameStream? _stream;
    private byte[] _first = [];
    private int _firstLength;
    private Task _writing = Task.CompletedTask;
    private bool _hasEnded;

    public long Length { get; } = length;

    public LargeState State { get; private set; }

    /// <summary>What came before there was room.</summary>
    public ReadOnlySpan<byte> First => _first.AsSpan(0, _firstLength);

    /// <summary>Whether it was begun at a peer.</summary>
    public bool IsBegun => _stream is not null;

    /// <summary>Whether all of it was written.</summary>
    public bool IsSent => State == LargeState.Flowing;

    /// <summary>Whether its last piece came and was written.</summary>
    public bool IsComplete => _hasEnded && _writing.IsCompleted;

    /// <summary>Keeps the first piece until it is known where it goes.</summary>
    public void KeepFirst(ReadOnlySpan<byte> bytes)
    {
        _first = ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length, 1));
        bytes.CopyTo(_first);
        _firstLength = bytes.Length;
    }

    public ReadOnlySpan<byte> TakeFirst()
    {
        var first = First.ToArray();
        ReturnFirst();
        return first;
    }

    /// <summary>It flows to the stream, or nowhere when there is none.</summary>
    /// <param name="stream">Takes it; null for nobody.</param>
    /// <param name="time">The clock.</param>
    /// <param name="window">Time in which it has to gain the pace.</param>
    /// <param name="bytesPerSecond">The pace.</param>
    public void Begin(FrameStream? stream, TimeProvider time, TimeSpan window, long bytesPerSecond)
    {
        (_stream, State) = (stream, stream is null ? LargeState.Discarded : LargeState.Flowing);
        (_time, _window) = (time, window);
        _leastBytes = Math.Max(1, (long)(bytesPerSecond * _window.TotalSeconds));
        (_leftBefore, _windowBegan) = (Length, _time.GetTimestamp());
        if (stream is null) return;
        // Under the lock: the first tick must find the timer, to end it.
        lock (_gate) _timer = _time.CreateTimer(static frame => ((LargeFrame)frame!).Check(), this, _window, _window);
    }

    /// <summary>It is collected, for the target takes whole messages.</summary>
    public void Assemble() => State = LargeState.Assembled;

    /// <summary>Writes a piece; the bytes are copied.</summary>
    /// <returns>Whether the next one may come at once; else after <see cref="SettleAsync"/>.</returns>
    public bool Write(ReadOnlySpan<byte> bytes, bool isLast)
    {
        _hasEnded = isLast;
        if (State == LargeState.Discarded || bytes.IsEmpty) return true;
        var copy = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(copy);
        _writing = WriteAsync(copy, bytes.Length);
        return _writing.IsCompleted;
    }

    /// <summary>Completes when the target has taken what came so far.</summary>
    public async ValueTask SettleAsync(CancellationToken stopping)
    {
        if (_firstLength > 0 || _first.Length > 0)
        {
            var (first, count) = (_first, _firstLength);
            (_first, _firstLength) = ([], 0);
            if (State == LargeState.Flowing) _writing = WriteAsync(first, count);
            else ArrayPool<byte>.Shared.Return(first);
        }

        await _writing.WaitAsync(stopping);
    }

    /// <summary>The frame is over: the peer is free for other messages, or is given up if it did not get all.</summary>
    public void End()
    {
        lock (_gate)
        {
            _timer?.Dispose();
            _timer = null;
        }

        if (_first.Length > 0) ReturnFirst();
        if (_stream is null) return;
#pragma warning disable CA2012 // Ends at once: nothing is sent by it.
        _ = _stream.DisposeAsync();
#pragma warning restore CA2012
    }

    /// <summary>The end of a window: who held the frame up loses its connection.</summary>
    private void Check()
    {
        lock (_gate)
        {
            if (_timer is null) return;
            var now = _time.GetTimestamp();
            var taking = _taking + (_takingSince is { } since ? _time.GetElapsedTime(since, now) : TimeSpan.Zero);
            var (elapsed, left) = (_time.GetElapsedTime(_windowBegan, now), _stream!.Left);
            var isSlow = left > 0 && _leftBefore - left < _leastBytes;
            (_leftBefore, _windowBegan, _taking) = (left, now, TimeSpan.Zero);
            if (_takingSince is not null) _takingSince = now;
            if (!isSlow) return;
            _timer.Dispose();
            _timer = null;
            // In most of the window bytes were there to be taken, or in most of it they were not.
            if (taking < elapsed / 2)
            {
                source.Abort(new ZmtpException(
                    $"{source.Remote} did not send a frame of {Length} bytes at a pace of {_leastBytes} bytes in {_window}."));
                return;
            }
        }

        // With bytes left this closes the target's connection, and the write that waits for it fails.
#pragma warning disable CA2012 // Ends at once: nothing is sent by it.
        _ = _stream.DisposeAsync();
#pragma warning restore CA2012
    }

    private async Task WriteAsync(byte[] copy, int count)
    {
        try
        {
            lock (_gate) _takingSince = _time.GetTimestamp();
            for (var at = 0; at < count; at += MaxPiece) await _stream!.WriteAsync(copy.AsMemory(at, Math.Min(MaxPiece, count - at)),
                CancellationToken.None);
        }
        catch (ZmtpException)
        {
            // The target's connection is gone, and with it what it had of the frame. The rest has nowhere to go.
            State = LargeState.Discarded;
        }
        finally
        {
            lock (_gate)
            {
                if (_takingSince is { } since) _taking += _time.GetElapsedTime(since);
                _takingSince = null;
            }

            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private void ReturnFirst()
    {
        ArrayPool<byte>.Shared.Return(_first);
        (_first, _firstLength) = ([], 0);
    }
}

/// <summary>Where a large frame goes.</summary>
internal enum LargeState
{
    /// <summary>Not known yet: the target has no room.</summary>
    Waiting,

    /// <summary>To a peer.</summary>
    Flowing,

    /// <summary>Nowhere: the pattern drops it, or its peer was lost.</summary>
    Discarded,

    /// <summary>Into the message, to be sent whole.</summary>
    Assembled,
}
