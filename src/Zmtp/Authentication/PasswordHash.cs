using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Zmtp.Authentication;

/// <summary>A password that can be checked but not read: PBKDF2 with HMAC-SHA-256, written as passlib does: <c>$pbkdf2-sha256$ROUNDS$SALT$HASH</c>.</summary>
public sealed class PasswordHash
{
    /// <summary>What every written hash begins with.</summary>
    public const string Prefix = "$pbkdf2-sha256$";

    /// <summary>Rounds of a new hash: about 20 ms of one core.</summary>
    public const int DefaultRounds = 100_000;

    private const int HashBytes = 32;
    private const int SaltBytes = 16;
    private const int MaxSaltBytes = 1024;
    private const int MaxRounds = 10_000_000;
    private readonly int _rounds;
    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private PasswordHash(int rounds, byte[] salt, byte[] hash) => (_rounds, _salt, _hash) = (rounds, salt, hash);

    /// <summary>Hashes a password with a new salt.</summary>
    /// <param name="rounds">1 to 10,000,000; each guess costs as much as each check.</param>
    public static PasswordHash Of(string password, int rounds = DefaultRounds)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rounds, MaxRounds);
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        return new PasswordHash(rounds, salt, Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, rounds, HashAlgorithmName.SHA256, HashBytes));
    }

    /// <summary>Reads a written hash.</summary>
    /// <returns>False for any other text, and for more than 10,000,000 rounds, which would be a trap.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out PasswordHash? hash)
    {
        hash = null;
        if (!text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var parts = text[Prefix.Length..].Split('$');
        if (parts.Length != 3 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) || rounds is < 1 or > MaxRounds) return false;
        if (Decode(parts[1]) is not { Length: <= MaxSaltBytes } salt || Decode(parts[2]) is not { Length: HashBytes } bytes) return false;
        hash = new PasswordHash(rounds, salt, bytes);
        return true;
    }

    /// <summary>Whether this is the password; takes the same time for a wrong one.</summary>
    public bool Matches(ReadOnlySpan<byte> password)
    {
        Span<byte> computed = stackalloc byte[HashBytes];
        Rfc2898DeriveBytes.Pbkdf2(password, _salt, computed, _rounds, HashAlgorithmName.SHA256);
        return CryptographicOperations.FixedTimeEquals(computed, _hash);
    }

    /// <summary>As it is written.</summary>
    public override string ToString() => $"{Prefix}{_rounds}${Encode(_salt)}${Encode(_hash)}";

    // passlib's Base64: '.' for '+', and no padding.
    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '.');

    private static byte[]? Decode(string text)
    {
        var padded = text.Replace('.', '+').PadRight((text.Length + 3) / 4 * 4, '=');
        var bytes = new byte[padded.Length / 4 * 3];
        return Convert.TryFromBase64String(padded, bytes, out var length) ? bytes[..length] : null;
    }
}
