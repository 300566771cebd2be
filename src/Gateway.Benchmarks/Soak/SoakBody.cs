using System.Buffers.Binary;

namespace Gateway.Benchmarks.Soak;

/// <summary>
/// What a caller asks of the service: its first bytes say what is to happen, the rest is a pattern that no other request has.
/// </summary>
/// <param name="Id">Number of the request; no two have the same.</param>
/// <param name="Bytes">Size of the request's body.</param>
/// <param name="ReplyBytes">Size of the reply's pattern; 0 to have the request's body echoed.</param>
/// <param name="DelayMilliseconds">How long the service waits; negative for ever.</param>
internal readonly record struct SoakBody(ulong Id, int Bytes, int ReplyBytes, int DelayMilliseconds)
{
    public const int HeadSize = 24;

    /// <summary>Bytes of the reply: the id, and behind it the body or the pattern.</summary>
    public int ReplyLength => sizeof(ulong) + (ReplyBytes > 0 ? ReplyBytes : Bytes);

    public static SoakBody Read(ReadOnlySpan<byte> body) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(body), BinaryPrimitives.ReadInt32LittleEndian(body[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(body[12..]), BinaryPrimitives.ReadInt32LittleEndian(body[16..]));

    public byte[] Request()
    {
        var body = new byte[Bytes];
        BinaryPrimitives.WriteUInt64LittleEndian(body, Id);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(8), Bytes);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(12), ReplyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(16), DelayMilliseconds);
        Fill(body.AsSpan(HeadSize));
        return body;
    }

    /// <summary>What the service answers. The body comes from the wire, so that an exchanged request would be seen as well.</summary>
    public byte[] Reply(ReadOnlySpan<byte> body)
    {
        var reply = new byte[ReplyLength];
        BinaryPrimitives.WriteUInt64LittleEndian(reply, Id);
        if (ReplyBytes > 0) Fill(reply.AsSpan(sizeof(ulong)));
        else body.CopyTo(reply.AsSpan(sizeof(ulong)));
        return reply;
    }

    private void Fill(Span<byte> bytes)
    {
        // SplitMix64, from the id: equal nowhere between two requests but by chance.
        var state = Id * 0x9E3779B97F4A7C15;
        Span<byte> last = stackalloc byte[sizeof(ulong)];
        while (bytes.Length > 0)
        {
            state += 0x9E3779B97F4A7C15;
            var z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            BinaryPrimitives.WriteUInt64LittleEndian(last, z ^ (z >> 31));
            var count = Math.Min(last.Length, bytes.Length);
            last[..count].CopyTo(bytes);
            bytes = bytes[count..];
        }
    }
}
