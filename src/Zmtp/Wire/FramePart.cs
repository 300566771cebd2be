namespace Zmtp.Wire;

/// <summary>
/// A frame, or a piece of one, as it lies in the receive buffer. A frame of at most <c>StreamThreshold</c> bytes always comes whole
/// (<see cref="IsFirst"/> and <see cref="IsLast"/>); a larger one comes in pieces while it still arrives.
/// </summary>
/// <remarks>The bytes are valid during the call that hands them over; whoever needs them longer copies them.</remarks>
/// <param name="bytes">The bytes of this piece; may be empty.</param>
/// <param name="frameLength">Length of the whole frame's body in bytes.</param>
/// <param name="isFirst">Whether the piece begins its frame.</param>
/// <param name="isLast">Whether the piece ends its frame.</param>
/// <param name="more">Whether further frames of the message follow this frame.</param>
public readonly ref struct FramePart(ReadOnlySpan<byte> bytes, long frameLength, bool isFirst, bool isLast, bool more)
{
    /// <summary>The bytes of this piece; may be empty.</summary>
    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    /// <summary>Length of the whole frame's body in bytes, known from its first piece on.</summary>
    public long FrameLength { get; } = frameLength;

    /// <summary>Whether the piece begins its frame.</summary>
    public bool IsFirst { get; } = isFirst;

    /// <summary>Whether the piece ends its frame.</summary>
    public bool IsLast { get; } = isLast;

    /// <summary>Whether further frames of the message follow this frame (MORE).</summary>
    public bool More { get; } = more;

    /// <summary>Whether the piece is a whole frame.</summary>
    public bool IsWhole => IsFirst && IsLast;

    /// <summary>Whether the message ends with this piece.</summary>
    public bool EndsMessage => IsLast && !More;
}
