using System.Buffers;

namespace Zmtp.Sockets;

/// <summary>Bytes that wait to be sent: pooled arrays filled one after the other, and messages' memory by reference.</summary>
/// <remarks>Not thread-safe: its outbox's lock guards it.</remarks>
internal sealed class ChunkList
{
    private const int ChunkSize = 32 * 1024;
    private readonly Queue<Chunk> _full = new();
    private Chunk _tail;
    private bool _insideMessage;

    public long Bytes { get; private set; }

    public int Messages { get; private set; }

    public bool IsEmpty => Bytes == 0;

    /// <summary>Room for at least <paramref name="size"/> bytes; commit with <see cref="Advance"/>.</summary>
    /// <param name="insideFrame">Whether the bytes continue a frame, so that nothing may be sent between them and those before.</param>
    public Span<byte> GetSpan(int size, bool insideFrame = false)
    {
        if (_tail.Array is null || _tail.Array.Length - _tail.Length < size)
        {
            Seal(insideFrame);
            _tail = new Chunk { Array = ArrayPool<byte>.Shared.Rent(Math.Max(size, ChunkSize)) };
        }

        return _tail.Array.AsSpan(_tail.Length);
    }

    public void Advance(int count)
    {
        _tail.Length += count;
        Bytes += count;
        _insideMessage = true;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        // Fill what is left of the tail first; what is larger gets an array of its own size.
        while (!bytes.IsEmpty)
        {
            var room = _tail.Array is null ? 0 : _tail.Array.Length - _tail.Length;
            if (room == 0) room = Math.Min(GetSpan(Math.Min(bytes.Length, 1 << 20), insideFrame: true).Length, bytes.Length);
            var count = Math.Min(room, bytes.Length);
            bytes[..count].CopyTo(_tail.Array.AsSpan(_tail.Length));
            Advance(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>Adds memory by reference; the message is released when it was sent.</summary>
    public void Write(ReadOnlyMemory<byte> memory, Message owner)
    {
        Seal(insideFrame: true);
        _full.Enqueue(new Chunk { External = memory, Owner = owner.Retain(), Length = memory.Length, EndsInsideMessage = true });
        Bytes += memory.Length;
    }

    /// <summary>Counts a message that ends at the bytes written last.</summary>
    public void EndMessage()
    {
        _tail.Messages++;
        Messages++;
        _insideMessage = false;
    }

    /// <summary>Takes the oldest chunk out.</summary>
    public bool TryTake(out Chunk chunk)
    {
        if (_full.TryDequeue(out chunk))
        {
            // Taken.
        }
        else if (_tail.Length > 0 || _tail.Messages > 0)
        {
            (chunk, _tail) = (_tail, default);
        }
        else
        {
            return false;
        }

        Bytes -= chunk.Length;
        Messages -= chunk.Messages;
        return true;
    }

    /// <summary>Takes everything of another list, which is empty afterwards.</summary>
    public void TakeAll(ChunkList other)
    {
        Seal(insideFrame: false);
        while (other.TryTake(out var chunk))
        {
            Bytes += chunk.Length;
            Messages += chunk.Messages;
            _full.Enqueue(chunk);
        }
    }

    /// <summary>Where the next byte goes; <see cref="Rewind"/> drops what came after it.</summary>
    public Position Mark() => new(_full.Count, _tail.Length, Bytes);

    /// <summary>Drops what was written after the mark. Only whole chunks and the tail are known, so a message that spilled into another chunk is cut there.</summary>
    public void Rewind(Position mark)
    {
        _insideMessage = false;
        if (_full.Count == mark.Full)
        {
            _tail.Length = mark.TailLength;
            Bytes = mark.Bytes;
            return;
        }

        var kept = new List<Chunk>(mark.Full + 1);
        for (var i = 0; i <= mark.Full && _full.TryDequeue(out var chunk); i++)
        {
            // The chunk that was the tail at the mark keeps its first bytes.
            if (i == mark.Full)
            {
                if (chunk.Owner is not null || mark.TailLength == 0)
                {
                    chunk.Release();
                    continue;
                }

                chunk.Length = mark.TailLength;
                (chunk.EndsInsideFrame, chunk.EndsInsideMessage) = (false, false);
            }

            kept.Add(chunk);
        }

        Clear();
        foreach (var chunk in kept)
        {
            _full.Enqueue(chunk);
            Messages += chunk.Messages;
        }

        Bytes = mark.Bytes;
    }

    public void Clear()
    {
        while (TryTake(out var chunk)) chunk.Release();
        if (_tail.Array is not null) ArrayPool<byte>.Shared.Return(_tail.Array);
        _tail = default;
        (Bytes, Messages) = (0, 0);
    }

    private void Seal(bool insideFrame)
    {
        if (_tail.Array is null && _tail.Messages == 0) return;
        (_tail.EndsInsideFrame, _tail.EndsInsideMessage) = (insideFrame, _insideMessage);
        if (_tail.Length == 0 && _tail.Messages == 0) ArrayPool<byte>.Shared.Return(_tail.Array!);
        else _full.Enqueue(_tail);
        _tail = default;
    }

    internal readonly record struct Position(int Full, int TailLength, long Bytes);

    internal struct Chunk
    {
        public byte[]? Array;
        public ReadOnlyMemory<byte> External;
        public Message? Owner;
        public int Length;
        public int Messages;
        public bool EndsInsideFrame;
        public bool EndsInsideMessage;

        public readonly ReadOnlyMemory<byte> Memory => Owner is null ? Array.AsMemory(0, Length) : External;

        public readonly void Release()
        {
            if (Owner is not null) Owner.Dispose();
            else if (Array is not null) ArrayPool<byte>.Shared.Return(Array);
        }
    }
}
