using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace Gateway.WebSockets;

/// <summary>Reads RFC 6455 frames from bytes that arrive in any pieces: header checks, unmasking, message rules, UTF-8, limits.</summary>
/// <remarks>
/// Pure: no stream, clock or task; never throws, whatever the bytes; what it says does not depend on where the bytes were cut (a message that
/// is broken off by a fault may have been delivered up to any earlier byte). It keeps no payload except that of one control frame (125 bytes,
/// allocated when the first non-empty one arrives), and nothing per fragment. One user at a time.
/// </remarks>
internal sealed class WebSocketFrameParser(WebSocketLimits limits)
{
    private const int LargestHeader = 14;
    private const int LargestControl = 125;

    private HeaderBytes _partial;
    private byte[] _control = [];
    private Header _frame;
    private Utf8Check _text;
    private long _remaining; // Payload bytes of the current frame that are still to come.
    private long _messageBytes; // Announced by the frames of the current message so far.
    private int _fragments;
    private int _controlLength;
    private byte _partialLength;
    private bool _inFrame;
    private bool _closed;
    private WebSocketOpcode _message; // Text or Binary inside a fragmented message, else Continuation.
    private WebSocketFault _fault;

    /// <summary>Payload of the ping, pong or close that the last step found; for a close without its code. Valid until the next step.</summary>
    public ReadOnlyMemory<byte> ControlPayload { get; private set; }

    /// <summary>Code of the close that was found; None when it had no payload.</summary>
    public WebSocketCloseCode CloseCode { get; private set; }

    /// <summary>Goes on until something is found or the bytes end. Payload is unmasked in place.</summary>
    public WebSocketStep Next(Span<byte> input)
    {
        if (_fault != WebSocketFault.None) return Fail(_fault, input.Length);
        if (_closed) return new WebSocketStep(WebSocketStepKind.NeedMoreData, input.Length);
        var at = 0;
        while (true)
        {
            if (!_inFrame)
            {
                at += ReadHeader(input[at..], out var found);
                if (_fault != WebSocketFault.None) return Fail(_fault, at);
                if (!found) return new WebSocketStep(WebSocketStepKind.NeedMoreData, input.Length);
            }

            var start = at;
            var length = (int)Math.Min(_remaining, input.Length - at);
            at += length;
            _remaining -= length;
            if (_remaining == 0) _inFrame = false;
            var step = _frame.IsControl
                ? TakeControl(input.Slice(start, length), at)
                : TakeData(input.Slice(start, length), start, at);
            if (step.Kind != WebSocketStepKind.NeedMoreData) return step;
            if (_inFrame) return new WebSocketStep(WebSocketStepKind.NeedMoreData, input.Length);
        }
    }

    private WebSocketStep TakeData(Span<byte> piece, int start, int consumed)
    {
        var ends = !_inFrame && _frame.Fin;
        var opcode = _message;
        if (ends) _message = WebSocketOpcode.Continuation;
        if (limits.Data == WebSocketDataPolicy.Discard) return default;
        if (piece.Length == 0 && !ends) return default;
        _frame.Key = WebSocketMask.Apply(piece, _frame.Key);
        if (opcode == WebSocketOpcode.Text && (!_text.Append(piece) || (ends && !_text.IsComplete)))
            return Fail(WebSocketFault.TextNotUtf8, consumed);
        return new WebSocketStep(WebSocketStepKind.Data, consumed, opcode, start, piece.Length, ends);
    }

    private WebSocketStep TakeControl(Span<byte> piece, int consumed)
    {
        if (piece.Length > 0)
        {
            if (_control.Length == 0) _control = new byte[LargestControl];
            var kept = _control.AsSpan(_controlLength, piece.Length);
            piece.CopyTo(kept);
            _frame.Key = WebSocketMask.Apply(kept, _frame.Key);
            _controlLength += piece.Length;
        }

        if (_inFrame) return default;
        ControlPayload = _control.AsMemory(0, _controlLength);
        _controlLength = 0;
        return _frame.Opcode switch
        {
            WebSocketOpcode.Ping => new WebSocketStep(WebSocketStepKind.Ping, consumed, WebSocketOpcode.Ping),
            WebSocketOpcode.Pong => new WebSocketStep(WebSocketStepKind.Pong, consumed, WebSocketOpcode.Pong),
            _ => TakeClose(consumed),
        };
    }

    private WebSocketStep TakeClose(int consumed)
    {
        var payload = ControlPayload.Span;
        if (payload.Length == 1) return Fail(WebSocketFault.CloseLength, consumed);
        if (payload.Length >= 2)
        {
            var code = BinaryPrimitives.ReadUInt16BigEndian(payload);
            if (!WebSocketCloseCodes.MayBeSent(code)) return Fail(WebSocketFault.CloseCode, consumed);
            if (!Utf8.IsValid(payload[2..])) return Fail(WebSocketFault.ReasonNotUtf8, consumed);
            CloseCode = (WebSocketCloseCode)code;
            ControlPayload = ControlPayload[2..];
        }

        _closed = true;
        return new WebSocketStep(WebSocketStepKind.Close, consumed, WebSocketOpcode.Close);
    }

    /// <returns>Bytes of the input that belong to the header.</returns>
    private int ReadHeader(ReadOnlySpan<byte> input, out bool found)
    {
        var size = 0;
        if (_partialLength == 0)
        {
            found = TryReadHeader(input, out size);
            if (found || _fault != WebSocketFault.None) return size;
            input.CopyTo(_partial);
            _partialLength = (byte)input.Length;
            return input.Length;
        }

        // The beginning was in an earlier piece: complete it to at most one header and judge it again from its first byte.
        Span<byte> kept = _partial;
        var had = _partialLength;
        var taken = Math.Min(input.Length, LargestHeader - had);
        input[..taken].CopyTo(kept[had..]);
        found = TryReadHeader(kept[..(had + taken)], out size);
        _partialLength = (byte)(found ? 0 : had + taken);
        return found ? size - had : taken;
    }

    /// <remarks>Judged in the order of the bytes and as far as they are there, so that every chopping fails alike, and at once.</remarks>
    private bool TryReadHeader(ReadOnlySpan<byte> bytes, out int size)
    {
        size = 0;
        if (bytes.Length < 1) return false;
        var frame = new Header { Opcode = (WebSocketOpcode)(bytes[0] & 0x0F), Fin = (bytes[0] & 0x80) != 0 };
        if (FaultOfFirst(bytes[0], frame) is var first and not WebSocketFault.None) return Refuse(first);
        if (bytes.Length < 2) return false;
        var masked = (bytes[1] & 0x80) != 0;
        if (masked != limits.PeerMasks) return Refuse(masked ? WebSocketFault.Masked : WebSocketFault.NotMasked);
        ulong length = (uint)bytes[1] & 0x7F;
        if (frame.IsControl && length > LargestControl) return Refuse(WebSocketFault.LongControl);
        var lengthSize = length switch { 126 => 2, 127 => 8, _ => 0 };
        if (bytes.Length < 2 + lengthSize) return false;
        if (lengthSize > 0)
        {
            length = lengthSize == 2 ? BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) : BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]);
            if (length > long.MaxValue) return Refuse(WebSocketFault.LengthTopBit);
            if (length <= (lengthSize == 2 ? 125u : 65_535u)) return Refuse(WebSocketFault.LengthNotMinimal);
        }

        // A length is refused before its body, and before the mask that follows it, has arrived.
        if (!frame.IsControl && FaultOfMessage(frame, (long)length) is var fault and not WebSocketFault.None) return Refuse(fault);
        var maskSize = masked ? 4 : 0;
        if (bytes.Length < 2 + lengthSize + maskSize) return false;
        if (masked) frame.Key = MemoryMarshal.Read<uint>(bytes[(2 + lengthSize)..]);
        size = 2 + lengthSize + maskSize;
        Begin(frame, (long)length);
        return true;
    }

    private WebSocketFault FaultOfFirst(byte octet, in Header frame)
    {
        if ((octet & 0x70) != 0) return WebSocketFault.ReservedBit;
        switch (frame.Opcode)
        {
            case WebSocketOpcode.Continuation when _message == WebSocketOpcode.Continuation:
                return WebSocketFault.StrayContinuation;
            case WebSocketOpcode.Text or WebSocketOpcode.Binary when _message != WebSocketOpcode.Continuation:
                return WebSocketFault.MessageInsideMessage;
            case WebSocketOpcode.Text or WebSocketOpcode.Binary when limits.Data == WebSocketDataPolicy.Refuse:
                return WebSocketFault.DataRefused;
            case WebSocketOpcode.Continuation or WebSocketOpcode.Text or WebSocketOpcode.Binary:
                return WebSocketFault.None;
            case WebSocketOpcode.Close or WebSocketOpcode.Ping or WebSocketOpcode.Pong:
                return frame.Fin ? WebSocketFault.None : WebSocketFault.FragmentedControl;
            default:
                return WebSocketFault.ReservedOpcode;
        }
    }

    private WebSocketFault FaultOfMessage(in Header frame, long length)
    {
        var (before, fragments) = frame.Opcode == WebSocketOpcode.Continuation ? (_messageBytes, _fragments) : (0, 0);
        if (length > limits.MaxMessageBytes - before) return WebSocketFault.MessageTooBig;
        return fragments >= limits.MaxFragments ? WebSocketFault.TooManyFragments : WebSocketFault.None;
    }

    private void Begin(in Header frame, long length)
    {
        _frame = frame;
        _remaining = length;
        _inFrame = true;
        if (frame.IsControl) return;
        if (frame.Opcode == WebSocketOpcode.Continuation)
        {
            _messageBytes += length;
            _fragments++;
            return;
        }

        (_message, _messageBytes, _fragments, _text) = (frame.Opcode, length, 1, default);
    }

    private bool Refuse(WebSocketFault fault)
    {
        _fault = fault;
        return false;
    }

    private WebSocketStep Fail(WebSocketFault fault, int consumed)
    {
        _fault = fault;
        return new WebSocketStep(WebSocketStepKind.Failed, consumed, Fault: fault);
    }

    private struct Header
    {
        public uint Key;
        public WebSocketOpcode Opcode;
        public bool Fin;

        public readonly bool IsControl => Opcode >= WebSocketOpcode.Close;
    }

    [InlineArray(LargestHeader)]
    private struct HeaderBytes
    {
        private byte _first;
    }
}
