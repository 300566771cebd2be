using System.Buffers.Binary;
using System.Text;

namespace Gateway.Tests.TestSupport;

/// <summary>ZWS 2.0 as bytes, written from the specifications (RFC 6455, 45/ZWS) and not by the code under test.</summary>
internal static class ZwsBytes
{
    /// <summary>One WebSocket frame.</summary>
    /// <param name="mask">Whether it is a client's; then with a fixed key.</param>
    public static byte[] WebSocket(int opcode, byte[] payload, bool mask, bool fin = true)
    {
        byte[] length = payload.Length switch
        {
            <= 125 => [(byte)payload.Length],
            <= ushort.MaxValue => [126, (byte)(payload.Length >> 8), (byte)payload.Length],
            _ => [127, .. Long(payload.Length)],
        };
        var first = (byte)((fin ? 0x80 : 0) | opcode);
        if (!mask) return [first, .. length, .. payload];
        byte[] key = [0x11, 0x22, 0x33, 0x44];
        length[0] |= 0x80;
        return [first, .. length, .. key, .. payload.Select((octet, i) => (byte)(octet ^ key[i & 3]))];
    }

    /// <summary>A ZeroMQ frame as a message of its own: 00, 01 (more) or 02 (command), and its body.</summary>
    public static byte[] Frame(byte flags, byte[] body, bool mask) => WebSocket(2, [flags, .. body], mask);

    public static byte[] Message(bool mask, params string[] frames) =>
        ZmtpBytes.Concat([.. frames.Select((frame, i) => Frame(i < frames.Length - 1 ? (byte)1 : (byte)0, Encoding.Latin1.GetBytes(frame), mask))]);

    public static byte[] Ready(string socketType, bool mask) => Frame(2, ZmtpBytes.Ready(socketType)[2..], mask);

    public static byte[] Close(int code, bool mask) => WebSocket(8, [(byte)(code >> 8), (byte)code], mask);

    private static byte[] Long(long value)
    {
        var octets = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(octets, value);
        return octets;
    }
}
