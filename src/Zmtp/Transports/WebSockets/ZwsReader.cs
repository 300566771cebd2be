using System.Buffers;
using System.Runtime.CompilerServices;
using Zmtp.Wire;

namespace Zmtp.Transports.WebSockets;

/// <summary>Turns received WebSocket frames into ZMTP frames, byte for byte as they come: no body is held, whatever its length (45/ZWS).</summary>
/// <remarks>
/// Pure: no stream, clock or task; never throws. One unfragmented message is one frame, whose length is known from its header. A fragmented
/// one, which no ZeroMQ library sends but browsers and proxies may, is put together first, up to a limit.
/// </remarks>
internal sealed class ZwsReader(bool peerMasks, bool commands, int maxFragmentedBytes) : IDisposable
{
    private readonly byte[] _control = new byte[WebSocketHeader.MaxControlPayload];
    private HeaderBytes _partial;
    private int _partialLength;
    private OutputBytes _head;
    private int _headAt;
    private int _headLength;
    private WebSocketHeader _frame;
    private long _left;
    private uint _key;
    private int _controlLength;
    private bool _inFrame;
    private bool _needsFlags;
    private bool _inFragments;
    private ArrayBufferWriter<byte>? _fragments;
    private int _fragmentsAt;

    /// <summary>What was wrong, with Invalid.</summary>
    public string Fault { get; private set; } = "";

    /// <summary>The rule that was broken, with Invalid.</summary>
    public ProtocolError Error { get; private set; }

    /// <summary>Payload of the control frame that was found; valid until the next call.</summary>
    public ReadOnlySpan<byte> Control => _control.AsSpan(0, _controlLength);

    /// <summary>Bytes of a body that come next and nothing else: they may be received where they are wanted and handed to <see cref="TakeBody"/>.</summary>
    public long BodyLeft => _inFrame && !_needsFlags && !_frame.IsControl && !_inFragments && _headAt == _headLength ? _left : 0;

    /// <summary>Translates until a control frame is found or either side is used up.</summary>
    /// <param name="input">Received bytes; unmasked in place.</param>
    /// <param name="output">Room for ZMTP frames.</param>
    /// <param name="consumed">Bytes of the input that are done with.</param>
    /// <param name="written">Bytes of the output.</param>
    public ZwsRead Next(Span<byte> input, Span<byte> output, out int consumed, out int written)
    {
        (consumed, written) = (0, 0);
        while (true)
        {
            written += TakeHead(output[written..]);
            if (_fragments is { } whole && !_inFragments && _headAt == _headLength) written += TakeFragments(whole, output[written..]);
            if (_headAt < _headLength || (_fragments is not null && !_inFragments)) return ZwsRead.More;
            if (!_inFrame)
            {
                if (!ReadHeader(input[consumed..], out var taken)) return Error == ProtocolError.None ? Ended(ref consumed, taken) : ZwsRead.Invalid;
                consumed += taken;
                if (!Begin()) return ZwsRead.Invalid;
            }

            var piece = input[consumed..];
            if (piece.Length > _left) piece = piece[..(int)_left];
            if (_frame.IsControl)
            {
                consumed += TakeControl(piece);
                if (_inFrame) return ZwsRead.More;
                return _frame.Opcode switch { WebSocketOpcode.Ping => ZwsRead.Ping, WebSocketOpcode.Pong => ZwsRead.Pong, _ => ZwsRead.Close };
            }

            if (_inFragments)
            {
                consumed += TakeFragment(piece);
                if (_inFrame) return ZwsRead.More;
                if (_frame.Fin && !EndFragments()) return ZwsRead.Invalid;
                continue;
            }

            if (_needsFlags)
            {
                if (piece.IsEmpty) return ZwsRead.More;
                var flags = (byte)(piece[0] ^ (byte)FirstOctet(_key));
                _key = WebSocketHeader.Mask(piece[..1], _key);
                (_left, _needsFlags) = (_left - 1, false);
                consumed++;
                if (!WriteHead(flags, _left)) return ZwsRead.Invalid;
                _inFrame = _left > 0;
                continue;
            }

            var count = Math.Min(piece.Length, output.Length - written);
            if (count == 0) return ZwsRead.More;
            piece[..count].CopyTo(output[written..]);
            TakeBody(output.Slice(written, count));
            (consumed, written) = (consumed + count, written + count);
        }
    }

    /// <summary>Takes bytes of a body that lie where they are wanted: unmasks them.</summary>
    public void TakeBody(Span<byte> body)
    {
        _key = WebSocketHeader.Mask(body, _key);
        _left -= body.Length;
        _inFrame = _left > 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _fragments = null;

    private static ZwsRead Ended(ref int consumed, int taken)
    {
        consumed += taken;
        return ZwsRead.More;
    }

    private static uint FirstOctet(uint key)
    {
        Span<byte> octets = stackalloc byte[sizeof(uint)];
        System.Runtime.InteropServices.MemoryMarshal.Write(octets, key);
        return octets[0];
    }

    private int TakeHead(Span<byte> output)
    {
        var count = Math.Min(_headLength - _headAt, output.Length);
        ((ReadOnlySpan<byte>)_head).Slice(_headAt, count).CopyTo(output);
        _headAt += count;
        return count;
    }

    private int TakeFragments(ArrayBufferWriter<byte> whole, Span<byte> output)
    {
        var count = Math.Min(whole.WrittenCount - _fragmentsAt, output.Length);
        whole.WrittenSpan.Slice(_fragmentsAt, count).CopyTo(output);
        _fragmentsAt += count;
        if (_fragmentsAt == whole.WrittenCount) _fragments = null;
        return count;
    }

    private bool ReadHeader(ReadOnlySpan<byte> input, out int taken)
    {
        Span<byte> kept = _partial;
        var had = _partialLength;
        taken = Math.Min(input.Length, WebSocketHeader.MaxSize - had);
        input[..taken].CopyTo(kept[had..]);
        var status = WebSocketHeader.TryParse(kept[..(had + taken)], peerMasks, out _frame, out var size, out var fault);
        if (status == OperationStatus.InvalidData) return Fail(ProtocolError.WebSocketViolation, fault);
        _partialLength = status == OperationStatus.Done ? 0 : had + taken;
        if (status != OperationStatus.Done) return false;
        taken = size - had;
        return true;
    }

    private bool Begin()
    {
        (_inFrame, _left, _key) = (true, _frame.Length, _frame.Key);
        if (_frame.IsControl)
        {
            _controlLength = 0;
            return true;
        }

        if (_frame.Opcode == WebSocketOpcode.Continuation != _inFragments)
            return Fail(ProtocolError.WebSocketViolation, _inFragments ? "a message inside a fragmented one" : "a continuation without a message");
        if (!_inFragments && _frame.Fin)
        {
            _needsFlags = true;
            return _left > 0 || Fail(ProtocolError.WebSocketViolation, "an empty message");
        }

        if (!_inFragments) (_inFragments, _fragments, _fragmentsAt) = (true, new ArrayBufferWriter<byte>(), 0);
        return _left <= maxFragmentedBytes - _fragments!.WrittenCount || Fail(ProtocolError.FrameTooLarge, "a fragmented message");
    }

    private int TakeControl(Span<byte> piece)
    {
        piece.CopyTo(_control.AsSpan(_controlLength));
        _key = WebSocketHeader.Mask(_control.AsSpan(_controlLength, piece.Length), _key);
        _controlLength += piece.Length;
        _left -= piece.Length;
        _inFrame = _left > 0;
        return piece.Length;
    }

    private int TakeFragment(Span<byte> piece)
    {
        var kept = _fragments!.GetSpan(Math.Max(piece.Length, 1))[..piece.Length];
        piece.CopyTo(kept);
        _key = WebSocketHeader.Mask(kept, _key);
        _fragments.Advance(piece.Length);
        _left -= piece.Length;
        _inFrame = _left > 0;
        return piece.Length;
    }

    private bool EndFragments()
    {
        _inFragments = false;
        if (_fragments!.WrittenCount == 0) return Fail(ProtocolError.WebSocketViolation, "an empty message");
        _fragmentsAt = 1;
        if (!WriteHead(_fragments.WrittenSpan[0], _fragments.WrittenCount - 1)) return false;
        if (_fragments.WrittenCount == 1) _fragments = null;
        return true;
    }

    private bool WriteHead(byte flags, long length)
    {
        if (flags > 2) return Fail(ProtocolError.ReservedFlag, $"flags {flags:X2}");
        if (flags == 2 && !commands) return Fail(ProtocolError.UnexpectedCommand, "a command, which bare ZWS2.0 has none of");
        _headAt = 0;
        _headLength = FrameHeader.For(length, more: flags == 1, command: flags == 2).Write(_head);
        return true;
    }

    private bool Fail(ProtocolError error, string fault)
    {
        (Error, Fault) = (error, fault);
        return false;
    }

    [InlineArray(WebSocketHeader.MaxSize)]
    private struct HeaderBytes
    {
        private byte _first;
    }

    [InlineArray(FrameHeader.MaxSize)]
    private struct OutputBytes
    {
        private byte _first;
    }
}

/// <summary>What <see cref="ZwsReader.Next"/> came to.</summary>
internal enum ZwsRead
{
    /// <summary>The input or the output is used up.</summary>
    More,

    /// <summary>A ping, its payload in <see cref="ZwsReader.Control"/>.</summary>
    Ping,

    /// <summary>A pong.</summary>
    Pong,

    /// <summary>A close.</summary>
    Close,

    /// <summary>A rule was broken.</summary>
    Invalid,
}
