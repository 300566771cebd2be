using System.Buffers;
using Zmtp.Sockets;

namespace Zmtp.Proxies;

/// <summary>The last frame of a message, sent on while it arrives: one piece at a time, and the source is read no further while the target is slow.</summary>
internal sealed class LargeFrame(long length)
{
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
    public void Begin(FrameStream? stream) => (_stream, State) = (stream, stream is null ? LargeState.Discarded : LargeState.Flowing);

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
        if (_first.Length > 0) ReturnFirst();
        if (_stream is null) return;
#pragma warning disable CA2012 // Ends at once: nothing is sent by it.
        _ = _stream.DisposeAsync();
#pragma warning restore CA2012
    }

    private async Task WriteAsync(byte[] copy, int count)
    {
        try
        {
            await _stream!.WriteAsync(copy.AsMemory(0, count), CancellationToken.None);
        }
        catch (ZmtpException)
        {
            // The target's connection is gone, and with it what it had of the frame. The rest has nowhere to go.
            State = LargeState.Discarded;
        }
        finally
        {
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
