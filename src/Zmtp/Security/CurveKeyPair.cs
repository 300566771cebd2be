namespace Zmtp.Security;

/// <summary>A long-term CURVE key pair: 32 bytes each.</summary>
/// <param name="PublicKey">May be given to everybody.</param>
/// <param name="SecretKey">Never leaves its owner.</param>
public sealed record CurveKeyPair(byte[] PublicKey, byte[] SecretKey)
{
    /// <summary>Whether CURVE can be used here: it takes its primitives from libsodium.</summary>
    public static bool IsAvailable => Sodium.IsAvailable;

    /// <summary>Why it cannot be used, and what to install, in words that follow a subject; null when it can.</summary>
    public static string? WhyUnavailable => Sodium.IsAvailable ? null : Sodium.WhyMissing;

    /// <summary>Makes a new pair.</summary>
    /// <exception cref="ZmtpException">libsodium is not installed.</exception>
    public static CurveKeyPair Generate()
    {
        Sodium.ThrowIfMissing();
        var pair = new CurveKeyPair(new byte[Sodium.KeySize], new byte[Sodium.KeySize]);
        Sodium.MakeKeyPair(pair.PublicKey, pair.SecretKey);
        return pair;
    }

    /// <summary>The pair of a secret key.</summary>
    /// <exception cref="ArgumentException">It does not have 32 bytes.</exception>
    /// <exception cref="ZmtpException">libsodium is not installed.</exception>
    public static CurveKeyPair FromSecretKey(byte[] secretKey)
    {
        if (secretKey.Length != Sodium.KeySize) throw new ArgumentException($"A CURVE key has {Sodium.KeySize} bytes, not {secretKey.Length}.", nameof(secretKey));
        Sodium.ThrowIfMissing();
        var publicKey = new byte[Sodium.KeySize];
        Sodium.PublicKey(publicKey, secretKey);
        return new CurveKeyPair(publicKey, secretKey);
    }

    /// <summary>Reads a key from 40 characters of Z85.</summary>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static byte[] ParseKey(string text) =>
        Z85.TryDecode(text, out var key) && key.Length == Sodium.KeySize ? key : throw new ArgumentException("A CURVE key is 40 characters of Z85.", nameof(text));

    /// <summary>The public key alone: a secret does not belong into logs.</summary>
    public override string ToString() => $"CURVE key pair {Z85.Encode(PublicKey)}";
}
