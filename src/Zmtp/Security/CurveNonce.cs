using System.Buffers.Binary;

namespace Zmtp.Security;

/// <summary>The two shapes of CURVE's nonces, 24 bytes (26/CURVEZMQ, "Nonces").</summary>
internal static class CurveNonce
{
    /// <summary>16 characters and a number.</summary>
    public static void Short(Span<byte> nonce, ReadOnlySpan<byte> prefix, ulong number)
    {
        prefix.CopyTo(nonce);
        BinaryPrimitives.WriteUInt64BigEndian(nonce[16..], number);
    }

    /// <summary>8 characters and 16 random bytes.</summary>
    public static void Long(Span<byte> nonce, ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> random)
    {
        prefix.CopyTo(nonce);
        random.CopyTo(nonce[8..]);
    }
}
