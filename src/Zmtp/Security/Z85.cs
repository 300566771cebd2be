using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Zmtp.Security;

/// <summary>Z85, the text form of keys: 4 bytes as 5 characters (32/Z85).</summary>
public static class Z85
{
    private const string Alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

    /// <summary>Writes bytes as text.</summary>
    /// <param name="bytes">A multiple of 4 bytes.</param>
    /// <exception cref="ArgumentException">The length is no multiple of 4.</exception>
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length % 4 != 0) throw new ArgumentException($"Z85 takes a multiple of 4 bytes, not {bytes.Length}.", nameof(bytes));
        var text = new char[bytes.Length / 4 * 5];
        for (var i = 0; i < bytes.Length; i += 4)
        {
            var value = BinaryPrimitives.ReadUInt32BigEndian(bytes[i..]);
            for (var c = 4; c >= 0; c--)
            {
                text[(i / 4 * 5) + c] = Alphabet[(int)(value % 85)];
                value /= 85;
            }
        }

        return new string(text);
    }

    /// <summary>Reads text back into bytes.</summary>
    /// <returns>False for a length that is no multiple of 5, a foreign character, or five characters that stand for more than 2^32-1.</returns>
    public static bool TryDecode(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text.Length % 5 != 0) return false;
        var result = new byte[text.Length / 5 * 4];
        for (var i = 0; i < text.Length; i += 5)
        {
            var value = 0UL;
            foreach (var character in text.Slice(i, 5))
            {
                var digit = Alphabet.IndexOf(character, StringComparison.Ordinal);
                if (digit < 0) return false;
                value = (value * 85) + (uint)digit;
            }

            if (value > uint.MaxValue) return false;
            BinaryPrimitives.WriteUInt32BigEndian(result.AsSpan(i / 5 * 4), (uint)value);
        }

        bytes = result;
        return true;
    }
}
