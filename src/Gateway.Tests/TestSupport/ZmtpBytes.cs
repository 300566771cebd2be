using System.Buffers.Binary;
using System.Text;

namespace Gateway.Tests.TestSupport;

/// <summary>ZMTP as bytes, written from the specification (37/ZMTP 3.1) and not by the code under test.</summary>
internal static class ZmtpBytes
{
    public static byte[] Greeting(byte minor = 1, string mechanism = "NULL", byte major = 3)
    {
        var bytes = new byte[64];
        (bytes[0], bytes[8], bytes[9], bytes[10], bytes[11]) = (0xFF, 1, 0x7F, major, minor);
        Encoding.ASCII.GetBytes(mechanism, bytes.AsSpan(12));
        return bytes;
    }

    public static byte[] Ready(string socketType, byte[]? identity = null) => Command("READY", Concat(
        Property("Socket-Type", Encoding.ASCII.GetBytes(socketType)), identity is null ? [] : Property("Identity", identity)));

    public static byte[] Property(string name, byte[] value)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, value.Length);
        return [(byte)name.Length, .. Encoding.ASCII.GetBytes(name), .. length, .. value];
    }

    public static byte[] Command(string name, params byte[] data) => Framed(0x04, [(byte)name.Length, .. Encoding.ASCII.GetBytes(name), .. data]);

    public static byte[] Ping(ushort ttl = 0, string context = "") => Command("PING", [(byte)(ttl >> 8), (byte)ttl, .. Encoding.ASCII.GetBytes(context)]);

    public static byte[] Pong(string context = "") => Command("PONG", Encoding.ASCII.GetBytes(context));

    public static byte[] Subscribe(string topic) => Command("SUBSCRIBE", Encoding.UTF8.GetBytes(topic));

    public static byte[] Cancel(string topic) => Command("CANCEL", Encoding.UTF8.GetBytes(topic));

    public static byte[] Frame(byte[] body, bool more = false) => Framed(more ? (byte)1 : (byte)0, body);

    public static byte[] Message(params byte[][] frames) => Concat([.. frames.Select((frame, i) => Frame(frame, i < frames.Length - 1))]);

    public static byte[] Message(params string[] frames) => Message([.. frames.Select(Encoding.UTF8.GetBytes)]);

    /// <summary>The header of a frame of any announced length, without its body.</summary>
    public static byte[] LongHeader(byte flags, ulong length)
    {
        var header = new byte[9];
        header[0] = (byte)(flags | 2);
        BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(1), length);
        return header;
    }

    public static byte[] Concat(params byte[][] pieces) => [.. pieces.SelectMany(piece => piece)];

    private static byte[] Framed(byte flags, byte[] body) =>
        body.Length <= 255 ? [flags, (byte)body.Length, .. body] : [.. LongHeader(flags, (ulong)body.Length), .. body];
}
