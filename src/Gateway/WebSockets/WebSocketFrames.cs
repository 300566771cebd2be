using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Unicode;

namespace Gateway.WebSockets;

/// <summary>Writes frames (RFC 6455, 5.2). Server frames are unmasked; the masked form is a client's.</summary>
internal static class WebSocketFrames
{
    /// <summary>Largest header of a server frame.</summary>
    public const int MaxHeaderSize = 10;

    /// <summary>Size of a frame without payload.</summary>
    public const int HeaderOfEmpty = 2;

    /// <summary>Largest payload of a close, ping or pong.</summary>
    public const int MaxControlPayload = 125;

    /// <summary>Largest whole control frame of a server.</summary>
    public const int MaxControlFrame = HeaderOfEmpty + MaxControlPayload;

    private const byte FinBit = 0x80;
    private const byte MaskBit = 0x80;

    /// <summary>Size of the header of a server frame: 2, 4 or 10 bytes.</summary>
    public static int HeaderSize(long payloadLength) => payloadLength switch { <= 125 => 2, <= ushort.MaxValue => 4, _ => 10 };

    /// <summary>Writes the header of a server frame; the payload follows it as it is.</summary>
    /// <returns>Bytes written: <see cref="HeaderSize"/>.</returns>
    public static int WriteHeader(Span<byte> destination, WebSocketOpcode opcode, long payloadLength, bool fin = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadLength);
        destination[0] = (byte)((fin ? FinBit : 0) | (byte)opcode);
        switch (payloadLength)
        {
            case <= 125:
                destination[1] = (byte)payloadLength;
                return 2;
            case <= ushort.MaxValue:
                destination[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)payloadLength);
                return 4;
            default:
                destination[1] = 127;
                BinaryPrimitives.WriteInt64BigEndian(destination[2..], payloadLength);
                return 10;
        }
    }

    /// <summary>Writes a whole server frame.</summary>
    /// <returns>Bytes written: <see cref="HeaderSize"/> and the payload.</returns>
    public static int WriteFrame(Span<byte> destination, WebSocketOpcode opcode, ReadOnlySpan<byte> payload, bool fin = true)
    {
        var header = WriteHeader(destination, opcode, payload.Length, fin);
        payload.CopyTo(destination[header..]);
        return header + payload.Length;
    }

    /// <summary>Writes the payload of a close frame: code and reason, the reason cut at a whole character to 123 bytes; nothing for None.</summary>
    /// <param name="destination">At least <see cref="MaxControlPayload"/> bytes.</param>
    /// <returns>Bytes written, 0 or 2 to 125.</returns>
    public static int WriteClosePayload(Span<byte> destination, WebSocketCloseCode code, ReadOnlySpan<char> reason)
    {
        if (code == WebSocketCloseCode.None) return 0;
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)code);
        Utf8.FromUtf16(reason, destination[2..MaxControlPayload], out _, out var written);
        return 2 + written;
    }

    /// <summary>Writes a whole close frame of a server.</summary>
    /// <param name="destination">At least <see cref="MaxControlFrame"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteClose(Span<byte> destination, WebSocketCloseCode code, ReadOnlySpan<char> reason)
    {
        var length = WriteClosePayload(destination[2..], code, reason);
        return WriteHeader(destination, WebSocketOpcode.Close, length) + length;
    }

    /// <summary>Writes a whole masked frame, as a client sends it.</summary>
    /// <param name="key">Four octets that the other side cannot foresee; as <see cref="MemoryMarshal.Read{T}"/> reads them.</param>
    /// <returns>Bytes written: <see cref="HeaderSize"/> + 4 and the payload.</returns>
    public static int WriteMaskedFrame(Span<byte> destination, WebSocketOpcode opcode, ReadOnlySpan<byte> payload, uint key, bool fin = true)
    {
        var header = WriteHeader(destination, opcode, payload.Length, fin);
        destination[1] |= MaskBit;
        MemoryMarshal.Write(destination[header..], key);
        var body = destination.Slice(header + sizeof(uint), payload.Length);
        payload.CopyTo(body);
        WebSocketMask.Apply(body, key);
        return header + sizeof(uint) + payload.Length;
    }
}
