using System.Buffers;

namespace Gateway.Streams;

/// <summary>The bytes of a frame: in one piece where they lie in the receive buffer or in one segment, else in several.</summary>
internal readonly ref struct FrameBytes
{
    private readonly ReadOnlySpan<byte> _first;
    private readonly ReadOnlySequence<byte> _all;
    private readonly bool _segmented;

    public FrameBytes(ReadOnlySpan<byte> bytes)
    {
        _first = bytes;
        Length = bytes.Length;
    }

    public FrameBytes(ReadOnlySequence<byte> bytes)
    {
        _first = bytes.FirstSpan;
        Length = (int)bytes.Length;
        if (bytes.IsSingleSegment) return;
        (_all, _segmented) = (bytes, true);
    }

    /// <summary>Number of bytes.</summary>
    public int Length { get; }

    /// <summary>The bytes if they are in one piece, else the first piece.</summary>
    public ReadOnlySpan<byte> Span => _first;

    /// <summary>Whether <see cref="Span"/> is all.</summary>
    public bool IsSinglePiece => !_segmented;

    /// <summary>The pieces; only where there are several.</summary>
    public ReadOnlySequence<byte> Pieces => _all;

    /// <summary>A part of the bytes.</summary>
    public FrameBytes Slice(int start, int length) =>
        _segmented ? new FrameBytes(_all.Slice(start, length)) : new FrameBytes(_first.Slice(start, length));

    /// <summary>Copies all bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        if (_segmented) _all.CopyTo(destination);
        else _first.CopyTo(destination);
    }
}
