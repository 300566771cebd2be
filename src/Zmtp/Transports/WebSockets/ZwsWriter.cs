using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Zmtp.Wire;

namespace Zmtp.Transports.WebSockets;

/// <summary>Turns the session's ZMTP frames into WebSocket messages, one each and never fragmented, for libzmq takes no fragments (45/ZWS).</summary>
/// <remarks>Pure but for the random masks of a client. The session's PING and PONG commands become the transport's own.</remarks>
internal sealed class ZwsWriter(bool masks)
{
    // What tells PING and PONG from other commands: the name with its length.
    private const int NameSize = 5;
    private readonly byte[] _randoms = masks ? new byte[64 * sizeof(uint)] : [];
    private int _nextRandom;
    private HeadBytes _head;
    private int _headLength;
    private long _left;
    private uint _key;
    private bool _dropsBody;

    /// <summary>Payload of the pong that is sent next.</summary>
    public byte[] PongPayload { get; set; } = [];

    /// <summary>Bytes that the current message still needs; a server's may be sent as they are and told by <see cref="Sent"/>.</summary>
    public long BodyLeft => masks || _dropsBody ? 0 : _left;

    /// <summary>Whether nothing of a message is under way.</summary>
    public bool IsBetweenMessages => _left == 0 && _headLength == 0;

    /// <summary>Translates as much as there is room for.</summary>
    /// <param name="input">ZMTP frames, in any pieces.</param>
    /// <param name="output">At least <see cref="MaxOverhead"/> bytes and one more.</param>
    /// <returns>Bytes of the input that are done with; at least one.</returns>
    public int Translate(ReadOnlySpan<byte> input, Span<byte> output, out int written)
    {
        (var consumed, written) = (0, 0);
        while (consumed < input.Length)
        {
            if (_left == 0)
            {
                if (output.Length - written < MaxOverhead) break;
                consumed += TakeHead(input[consumed..], output, ref written);
                continue;
            }

            var count = (int)Math.Min(_left, input.Length - consumed);
            if (!_dropsBody)
            {
                count = Math.Min(count, output.Length - written);
                if (count == 0) break;
                var body = output.Slice(written, count);
                input.Slice(consumed, count).CopyTo(body);
                if (masks) _key = WebSocketHeader.Mask(body, _key);
                written += count;
            }

            _left -= count;
            consumed += count;
            if (_left == 0) _dropsBody = false;
        }

        return consumed;
    }

    /// <summary>Most bytes that stand before a body, or that a control frame has: a pong with its payload.</summary>
    public const int MaxOverhead = WebSocketHeader.MaxSize + WebSocketHeader.MaxControlPayload;

    /// <summary>Bytes of the body were sent as they are.</summary>
    public void Sent(int count) => _left -= count;

    /// <summary>Writes a close, ping or pong.</summary>
    /// <returns>Bytes written.</returns>
    public int WriteControl(Span<byte> output, WebSocketOpcode opcode, ReadOnlySpan<byte> payload)
    {
        var key = NextKey();
        var size = new WebSocketHeader(opcode, Fin: true, payload.Length, key).Write(output, masks);
        payload.CopyTo(output[size..]);
        if (masks) WebSocketHeader.Mask(output.Slice(size, payload.Length), key);
        return size + payload.Length;
    }

    /// <returns>Bytes of the input that belong to the head.</returns>
    private int TakeHead(ReadOnlySpan<byte> input, Span<byte> output, ref int written)
    {
        Span<byte> head = _head;
        var had = _headLength;
        var taken = Math.Min(input.Length, head.Length - had);
        input[..taken].CopyTo(head[had..]);
        _headLength = had + taken;
        var known = head[.._headLength];
        if (FrameHeader.TryParse(known, long.MaxValue, out var header, out _) != OperationStatus.Done) return taken;
        var isCommand = (header.Flags & FrameFlags.Command) != 0;
        var size = header.Size;
        if (isCommand && header.BodyLength >= NameSize)
        {
            if (known.Length < size + NameSize) return taken;
            var name = known.Slice(size, NameSize);
            if (name.SequenceEqual("\x04PING"u8) || name.SequenceEqual("\x04PONG"u8))
            {
                var pong = name[2] == 'O';
                written += WriteControl(output[written..], pong ? WebSocketOpcode.Pong : WebSocketOpcode.Ping, pong ? PongPayload : []);
                (_left, _dropsBody, _headLength) = (header.BodyLength - Math.Max(had - size, 0), true, 0);
                return Math.Max(size - had, 0);
            }
        }

        _key = NextKey();
        written += new WebSocketHeader(WebSocketOpcode.Binary, Fin: true, header.BodyLength + 1, _key).Write(output[written..], masks);
        // The flags, and what an earlier input held of a command's body behind its header.
        var early = known.Slice(size, Math.Max(had - size, 0));
        var begun = output.Slice(written, 1 + early.Length);
        begun[0] = (byte)(isCommand ? 2 : (header.Flags & FrameFlags.More) != 0 ? 1 : 0);
        early.CopyTo(begun[1..]);
        if (masks) _key = WebSocketHeader.Mask(begun, _key);
        written += begun.Length;
        (_left, _headLength) = (header.BodyLength - early.Length, 0);
        // What was looked at behind the header is body: it is taken again.
        return Math.Max(size - had, 0);
    }

    private uint NextKey()
    {
        if (!masks) return 0;
        if (_nextRandom == 0) RandomNumberGenerator.Fill(_randoms);
        var key = MemoryMarshal.Read<uint>(_randoms.AsSpan(_nextRandom));
        _nextRandom = (_nextRandom + sizeof(uint)) % _randoms.Length;
        return key;
    }

    [InlineArray(FrameHeader.MaxSize + NameSize)]
    private struct HeadBytes
    {
        private byte _first;
    }
}
