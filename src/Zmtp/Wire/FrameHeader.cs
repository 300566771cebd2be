using System.Buffers;
using System.Buffers.Binary;

namespace Zmtp.Wire;

/// <summary>What stands before every frame body: flags and length, in 2 or 9 bytes (37/ZMTP 3.1, "Framing").</summary>
/// <param name="Flags">MORE, LONG and COMMAND as received; the five reserved bits are zero.</param>
/// <param name="BodyLength">Bytes of body that follow, 0 to 2^63-1.</param>
internal readonly record struct FrameHeader(FrameFlags Flags, long BodyLength)
{
    /// <summary>Bytes of the longest header.</summary>
    public const int MaxSize = 9;

    /// <summary>Bytes that this header takes on the wire: 2 or 9.</summary>
    public int Size => (Flags & FrameFlags.Long) != 0 ? MaxSize : 2;

    /// <summary>The header that a sender writes: the short form up to 255 bytes, the long form above.</summary>
    public static FrameHeader For(long bodyLength, bool more = false, bool command = false) => new(
        (more ? FrameFlags.More : 0) | (command ? FrameFlags.Command : 0) | (bodyLength > byte.MaxValue ? FrameFlags.Long : 0), bodyLength);

    /// <summary>Reads the header at the start of <paramref name="input"/>. Allocates nothing, never throws.</summary>
    /// <param name="maxBytes">Largest body accepted: <c>MaxMessageSize</c> less what the message already holds.</param>
    /// <param name="error">With InvalidData: the rule that was broken. The connection has to close.</param>
    /// <returns>Done, NeedMoreData or InvalidData.</returns>
    public static OperationStatus TryParse(ReadOnlySpan<byte> input, long maxBytes, out FrameHeader header, out ProtocolError error)
    {
        (header, error) = (default, ProtocolError.None);
        if (input.IsEmpty) return OperationStatus.NeedMoreData;
        // Bad flags are refused at once: a peer that speaks something else may never send nine bytes.
        var flags = (FrameFlags)input[0];
        if ((flags & ~FrameFlags.All) != 0) return Refuse(ProtocolError.ReservedFlag, out error);
        if ((flags & (FrameFlags.Command | FrameFlags.More)) == (FrameFlags.Command | FrameFlags.More))
            return Refuse(ProtocolError.CommandWithMore, out error);
        ulong length;
        if ((flags & FrameFlags.Long) == 0)
        {
            if (input.Length < 2) return OperationStatus.NeedMoreData;
            length = input[1];
        }
        else
        {
            if (input.Length < MaxSize) return OperationStatus.NeedMoreData;
            length = BinaryPrimitives.ReadUInt64BigEndian(input[1..]);
        }

        // Compared unsigned: a length of 2^63 or more must not turn negative and pass.
        if (length > (ulong)maxBytes) return Refuse(ProtocolError.FrameTooLarge, out error);
        header = new FrameHeader(flags, (long)length);
        return OperationStatus.Done;
    }

    /// <summary>Writes the header.</summary>
    /// <param name="output">At least <see cref="Size"/> bytes.</param>
    /// <returns>Bytes written: 2 or 9.</returns>
    public int Write(Span<byte> output)
    {
        output[0] = (byte)Flags;
        if ((Flags & FrameFlags.Long) == 0)
        {
            output[1] = (byte)BodyLength;
            return 2;
        }

        BinaryPrimitives.WriteInt64BigEndian(output[1..], BodyLength);
        return MaxSize;
    }

    private static OperationStatus Refuse(ProtocolError reason, out ProtocolError error)
    {
        error = reason;
        return OperationStatus.InvalidData;
    }
}
