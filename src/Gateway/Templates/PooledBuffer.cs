using System.Buffers;

namespace Gateway.Templates;

/// <summary>A growing array from the pool for bytes that are put together for one message.</summary>
/// <remarks>Owned by whoever made it; one user at a time. Spans of it are valid until the next write.</remarks>
internal sealed class PooledBuffer : IBufferWriter<byte>
{
    // What an idle owner may keep: templates rarely need more, and a pool of owners must not hoard.
    private const int KeptSize = 4096;
    private byte[] _array = [];

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>What was written.</summary>
    public Span<byte> Written => _array.AsSpan(0, Length);

    /// <summary>What was written, for whoever cannot hold a span; valid until the next write.</summary>
    public ReadOnlyMemory<byte> GetWrittenMemory() => _array.AsMemory(0, Length);

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_array.Length - Length), nameof(count));
        Length += count;
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => Ensure(sizeHint).AsSpan(Length);

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0) => Ensure(sizeHint).AsMemory(Length);

    /// <summary>Forgets what was written and gives a large array back.</summary>
    public void Reset()
    {
        Length = 0;
        if (_array.Length <= KeptSize) return;
        ArrayPool<byte>.Shared.Return(_array);
        _array = [];
    }

    private byte[] Ensure(int sizeHint)
    {
        var needed = checked(Length + Math.Max(sizeHint, 1));
        if (needed <= _array.Length) return _array;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Min(_array.Length * 2, Array.MaxLength)));
        Written.CopyTo(larger);
        if (_array.Length > 0) ArrayPool<byte>.Shared.Return(_array);
        return _array = larger;
    }
}
