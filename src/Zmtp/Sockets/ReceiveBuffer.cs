using System.Buffers;

namespace Zmtp.Sockets;

/// <summary>One contiguous pooled array between socket and decoder. It grows only when it is full of bytes that arrived.</summary>
internal struct ReceiveBuffer(int initialSize) : IDisposable
{
    private byte[] _array = ArrayPool<byte>.Shared.Rent(initialSize);
    private const int MaxGrowth = 256 * 1024;
    private int _start;
    private int _end;
    private bool _wasFilled;

    public readonly ReadOnlySpan<byte> Unread => _array.AsSpan(_start, _end - _start);

    public readonly Memory<byte> Free => _array.AsMemory(_end);

    public void Consume(int count) => _start += count;

    public void Received(int count)
    {
        _end += count;
        _wasFilled = _end == _array.Length;
    }

    /// <summary>Makes room behind the unread bytes.</summary>
    /// <param name="wanted">Bytes that the next result needs in one piece; at most doubled towards at a time.</param>
    public void MakeRoom(int wanted)
    {
        var unread = _end - _start;
        if (unread == 0)
        {
            (_start, _end) = (0, 0);
            // A peer that fills the buffer gets a larger one: fewer, longer reads.
            if (_wasFilled && _array.Length < MaxGrowth) Grow();
        }

        // Moving a few bytes is cheaper than a short read; a long rest is moved only when it has to be.
        if (_array.Length - _end >= Math.Max(wanted - unread, 1) && (_start == 0 || _array.Length - _end >= _array.Length / 2)) return;
        if (_start > 0)
        {
            _array.AsSpan(_start, unread).CopyTo(_array);
            (_start, _end) = (0, unread);
        }

        if (unread == _array.Length) Grow();
    }

    public void Dispose()
    {
        if (_array.Length > 0) ArrayPool<byte>.Shared.Return(_array);
        _array = [];
        (_start, _end) = (0, 0);
    }

    private void Grow()
    {
        _wasFilled = false;
        var bigger = ArrayPool<byte>.Shared.Rent(_array.Length * 2);
        _array.AsSpan(0, _end).CopyTo(bigger);
        ArrayPool<byte>.Shared.Return(_array);
        _array = bigger;
    }
}
