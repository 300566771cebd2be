using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Zmtp.Transports.WebSockets;

/// <summary>The header of one WebSocket frame (RFC 6455, 5.2).</summary>
/// <param name="Opcode">What it is.</param>
/// <param name="Fin">Whether it ends its message.</param>
/// <param name="Length">Bytes of payload.</param>
/// <param name="Key">The mask's four octets as they lie in memory; 0 where nothing is masked.</param>
/// <remarks>
/// The gateway has a codec of its own for its web clients (pieces of messages, text, policies). This one is small because it only has to turn
/// frames into frames, and separate because the package stands alone.
/// </remarks>
internal readonly record struct WebSocketHeader(WebSocketOpcode Opcode, bool Fin, long Length, uint Key)
{
    /// <summary>Bytes of the longest header.</summary>
    public const int MaxSize = 14;

    /// <summary>Longest payload of a close, ping or pong.</summary>
    public const int MaxControlPayload = 125;

    private const byte FinBit = 0x80;
    private const byte MaskBit = 0x80;

    /// <summary>Whether it is a close, ping or pong.</summary>
    public bool IsControl => Opcode >= WebSocketOpcode.Close;

    /// <summary>Reads the header at the start of <paramref name="input"/>: judged octet by octet, as far as they are there. Never throws.</summary>
    /// <param name="peerMasks">Whether the peer is a client, whose frames must be masked; a server's must not.</param>
    /// <param name="size">With Done: bytes of the header.</param>
    /// <param name="fault">With InvalidData: what is wrong.</param>
    public static OperationStatus TryParse(ReadOnlySpan<byte> input, bool peerMasks, out WebSocketHeader header, out int size, out string fault)
    {
        (header, size, fault) = (default, 0, "");
        if (input.IsEmpty) return OperationStatus.NeedMoreData;
        var (opcode, fin) = ((WebSocketOpcode)(input[0] & 0x0F), (input[0] & FinBit) != 0);
        if ((input[0] & 0x70) != 0) return Refuse("a reserved bit is set", out fault);
        switch (opcode)
        {
            case WebSocketOpcode.Continuation or WebSocketOpcode.Binary:
                break;
            case WebSocketOpcode.Close or WebSocketOpcode.Ping or WebSocketOpcode.Pong when fin:
                break;
            case WebSocketOpcode.Text:
                return Refuse("a text message", out fault);
            default:
                return Refuse(opcode >= WebSocketOpcode.Close && !fin ? "a fragmented control frame" : "a reserved opcode", out fault);
        }

        if (input.Length < 2) return OperationStatus.NeedMoreData;
        var masked = (input[1] & MaskBit) != 0;
        if (masked != peerMasks) return Refuse(masked ? "a masked frame of a server" : "an unmasked frame of a client", out fault);
        ulong length = (uint)input[1] & 0x7F;
        if (opcode >= WebSocketOpcode.Close && length > MaxControlPayload) return Refuse("a long control frame", out fault);
        var lengthSize = length switch { 126 => 2, 127 => 8, _ => 0 };
        if (input.Length < 2 + lengthSize) return OperationStatus.NeedMoreData;
        if (lengthSize > 0)
        {
            length = lengthSize == 2 ? BinaryPrimitives.ReadUInt16BigEndian(input[2..]) : BinaryPrimitives.ReadUInt64BigEndian(input[2..]);
            if (length > long.MaxValue) return Refuse("a length of 2^63 or more", out fault);
            if (length <= (lengthSize == 2 ? 125u : 65_535u)) return Refuse("a length that fits a shorter form", out fault);
        }

        size = 2 + lengthSize + (masked ? 4 : 0);
        if (input.Length < size) return OperationStatus.NeedMoreData;
        header = new WebSocketHeader(opcode, fin, (long)length, masked ? MemoryMarshal.Read<uint>(input[(2 + lengthSize)..]) : 0);
        return OperationStatus.Done;
    }

    /// <summary>Writes the header of a whole message.</summary>
    /// <param name="output">At least <see cref="MaxSize"/> bytes.</param>
    /// <param name="masked">Whether <see cref="Key"/> is written: as a client.</param>
    /// <returns>Bytes written.</returns>
    public int Write(Span<byte> output, bool masked)
    {
        output[0] = (byte)(FinBit | (byte)Opcode);
        int size;
        switch (Length)
        {
            case <= 125:
                output[1] = (byte)Length;
                size = 2;
                break;
            case <= ushort.MaxValue:
                output[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(output[2..], (ushort)Length);
                size = 4;
                break;
            default:
                output[1] = 127;
                BinaryPrimitives.WriteInt64BigEndian(output[2..], Length);
                size = 10;
                break;
        }

        if (!masked) return size;
        output[1] |= MaskBit;
        MemoryMarshal.Write(output[size..], Key);
        return size + sizeof(uint);
    }

    /// <summary>Masks or unmasks in place (RFC 6455, 5.3).</summary>
    /// <returns>The key for the byte that follows.</returns>
    public static uint Mask(Span<byte> data, uint key)
    {
        var next = BitConverter.IsLittleEndian ? BitOperations.RotateRight(key, (data.Length & 3) * 8) : BitOperations.RotateLeft(key, (data.Length & 3) * 8);
        if (key == 0) return next;
        if (data.Length >= Vector<byte>.Count)
        {
            var wide = Vector.AsVectorByte(new Vector<uint>(key));
            for (; data.Length >= Vector<byte>.Count; data = data[Vector<byte>.Count..]) (new Vector<byte>(data) ^ wide).CopyTo(data);
        }

        var octets = MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in key));
        for (var i = 0; i < data.Length; i++) data[i] ^= octets[i & 3];
        return next;
    }

    private static OperationStatus Refuse(string reason, out string fault)
    {
        fault = reason;
        return OperationStatus.InvalidData;
    }
}
