using System.Buffers;

namespace Zmtp.Wire;

/// <summary>
/// Finds frames and commands in received bytes, in place: the state between two calls is a few integers, whatever the lengths announced.
/// </summary>
/// <remarks>A mutable struct: one per connection, held in a field.</remarks>
internal struct FrameDecoder(DecoderLimits limits)
{
    private readonly DecoderLimits _limits = limits;
    private long _frameLength;
    private long _frameLeft;
    private long _messageBytes;
    private int _messageFrames;
    private bool _more;
    private bool _insideFrame;

    /// <summary>Whether a message has begun and not ended: bytes that end here are a truncated message.</summary>
    public readonly bool IsInsideMessage => _insideFrame || _messageFrames > 0;

    /// <summary>Bytes that the next result needs at least, header included; for sizing the receive buffer. Never more than the limits allow.</summary>
    public int BytesWanted { get; private set; }

    /// <summary>Reads the next part or command at the start of <paramref name="input"/>. Never throws, allocates nothing.</summary>
    /// <param name="consumed">Bytes to drop from the start of the input, also with NeedMoreData.</param>
    /// <param name="part">With Part: where it lies and what it belongs to; with Command: its body as <see cref="FramePart.Bytes"/>.</param>
    /// <param name="error">With Invalid: the rule that was broken.</param>
    public DecodeResult Next(ReadOnlySpan<byte> input, out int consumed, out FramePart part, out ProtocolError error)
    {
        (consumed, error) = (0, ProtocolError.None);
        part = default;
        if (_insideFrame) return Piece(input, 0, isFirst: false, out consumed, out part);
        var status = FrameHeader.TryParse(input, long.MaxValue, out var header, out error);
        if (status == OperationStatus.InvalidData) return DecodeResult.Invalid;
        if (status == OperationStatus.NeedMoreData) return More(FrameHeader.MaxSize);
        if ((header.Flags & FrameFlags.Command) != 0) return TakeCommand(input, header, out consumed, out part, out error);

        // By subtraction: a length near 2^63 must not overflow a sum.
        if (header.BodyLength > _limits.MaxMessageBytes - _messageBytes) return Refuse(ProtocolError.FrameTooLarge, out error);
        if (_messageFrames == _limits.MaxMessageFrames) return Refuse(ProtocolError.TooManyFrames, out error);
        var more = (header.Flags & FrameFlags.More) != 0;
        var available = input.Length - header.Size;
        if (header.BodyLength <= _limits.WholeFrameBytes && header.BodyLength > available) return More(header.Size + (int)header.BodyLength);
        _messageBytes += header.BodyLength;
        _messageFrames++;
        (_frameLength, _frameLeft, _more, _insideFrame) = (header.BodyLength, header.BodyLength, more, true);
        return Piece(input, header.Size, isFirst: true, out consumed, out part);
    }

    private DecodeResult Piece(ReadOnlySpan<byte> input, int offset, bool isFirst, out int consumed, out FramePart part)
    {
        var length = (int)Math.Min(_frameLeft, input.Length - offset);
        consumed = offset + length;
        part = default;
        // The header of a large frame alone is news (its length is known); later, no bytes are no news.
        if (length == 0 && !isFirst) return More(1);
        _frameLeft -= length;
        var isLast = _frameLeft == 0;
        part = new FramePart(input.Slice(offset, length), _frameLength, isFirst, isLast, _more);
        if (isLast)
        {
            _insideFrame = false;
            if (!_more) (_messageBytes, _messageFrames) = (0, 0);
        }

        return DecodeResult.Part;
    }

    private DecodeResult TakeCommand(ReadOnlySpan<byte> input, FrameHeader header, out int consumed, out FramePart part, out ProtocolError error)
    {
        (consumed, error) = (0, ProtocolError.None);
        part = default;
        if (header.BodyLength > _limits.MaxCommandBytes) return Refuse(ProtocolError.CommandTooLarge, out error);
        var length = (int)header.BodyLength;
        if (input.Length < header.Size + length) return More(header.Size + length);
        consumed = header.Size + length;
        part = new FramePart(input.Slice(header.Size, length), length, true, true, false);
        return DecodeResult.Command;
    }

    private DecodeResult More(int wanted)
    {
        BytesWanted = wanted;
        return DecodeResult.NeedMoreData;
    }

    private static DecodeResult Refuse(ProtocolError reason, out ProtocolError error)
    {
        error = reason;
        return DecodeResult.Invalid;
    }
}

/// <summary>What <see cref="FrameDecoder.Next"/> found.</summary>
internal enum DecodeResult
{
    /// <summary>The bytes end inside a header, a command or a small frame; call again with more behind them.</summary>
    NeedMoreData,

    /// <summary>A frame, or a piece of a large one.</summary>
    Part,

    /// <summary>A whole command.</summary>
    Command,

    /// <summary>The protocol or a limit was broken; the connection has to close.</summary>
    Invalid,
}

/// <summary>Bounds of what one peer may send, checked before anything is allocated.</summary>
/// <param name="MaxMessageBytes">Sum of a message's frame bodies.</param>
/// <param name="MaxMessageFrames">Frames of one message.</param>
/// <param name="MaxCommandBytes">Body of one command.</param>
/// <param name="WholeFrameBytes">Frames up to this size are given whole; larger ones in pieces.</param>
internal readonly record struct DecoderLimits(long MaxMessageBytes, int MaxMessageFrames, int MaxCommandBytes, int WholeFrameBytes);
