using System.Runtime.InteropServices;

namespace Zmtp.Security;

/// <summary>CURVE's primitives, from libsodium: boxes, secret boxes and key pairs (26/CURVEZMQ). Everything else of CURVE is ours.</summary>
internal static unsafe partial class Sodium
{
    /// <summary>Bytes of a key, public, secret or shared.</summary>
    public const int KeySize = 32;

    /// <summary>Bytes of a nonce.</summary>
    public const int NonceSize = 24;

    /// <summary>Bytes that a box is longer than its content.</summary>
    public const int MacSize = 16;

    /// <summary>An <see cref="AppContext"/> switch for processes that must load no native library: as if there were none.</summary>
    internal const string ForbiddenSwitch = "Zmtp.NoLibsodium";

    /// <summary>What is missing and how to get it, in words that follow a subject.</summary>
    internal const string WhyMissing = "needs libsodium, which is not installed (Debian and Ubuntu: apt-get install libsodium23; Alpine: apk add libsodium; macOS: brew install libsodium)";

    private const string Library = "sodium";

    private static readonly bool Loaded = Load();

    /// <summary>Whether the library is installed.</summary>
    public static bool IsAvailable => Loaded;

    /// <exception cref="ZmtpException">The library is not installed; says what to install.</exception>
    public static void ThrowIfMissing()
    {
        if (!Loaded) throw new ZmtpException($"CURVE {WhyMissing}. Everything but CURVE works without it.");
    }

    /// <summary>Makes a key pair from the system's random numbers.</summary>
    public static void MakeKeyPair(Span<byte> publicKey, Span<byte> secretKey)
    {
        fixed (byte* pk = publicKey, sk = secretKey) Check(crypto_box_keypair(pk, sk));
    }

    /// <summary>The public key of a secret one.</summary>
    public static void PublicKey(Span<byte> publicKey, ReadOnlySpan<byte> secretKey)
    {
        fixed (byte* pk = publicKey, sk = secretKey) Check(crypto_scalarmult_base(pk, sk));
    }

    /// <summary>The key that both sides share.</summary>
    /// <returns>False for a public key of low order, which must be refused.</returns>
    public static bool TrySharedKey(Span<byte> shared, ReadOnlySpan<byte> theirPublicKey, ReadOnlySpan<byte> ourSecretKey)
    {
        fixed (byte* k = shared, pk = theirPublicKey, sk = ourSecretKey) return crypto_box_beforenm(k, pk, sk) == 0;
    }

    /// <summary>Boxes a plaintext with a shared key.</summary>
    /// <param name="box">Plaintext length + <see cref="MacSize"/> bytes; may lie over the plaintext.</param>
    public static void Seal(Span<byte> box, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> shared)
    {
        fixed (byte* c = box, m = plaintext, n = nonce, k = shared) Check(crypto_box_easy_afternm(c, m, (ulong)plaintext.Length, n, k));
    }

    /// <summary>Opens a box; the tag is checked in constant time before anything is decrypted.</summary>
    /// <param name="plaintext">Box length - <see cref="MacSize"/> bytes.</param>
    public static bool TryOpen(Span<byte> plaintext, ReadOnlySpan<byte> box, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> shared)
    {
        if (box.Length < MacSize) return false;
        fixed (byte* m = plaintext, c = box, n = nonce, k = shared) return crypto_box_open_easy_afternm(m, c, (ulong)box.Length, n, k) == 0;
    }

    /// <summary>Boxes with a secret key of one's own (the cookie).</summary>
    public static void SealSecret(Span<byte> box, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> key)
    {
        fixed (byte* c = box, m = plaintext, n = nonce, k = key) Check(crypto_secretbox_easy(c, m, (ulong)plaintext.Length, n, k));
    }

    /// <summary>Opens what <see cref="SealSecret"/> made.</summary>
    public static bool TryOpenSecret(Span<byte> plaintext, ReadOnlySpan<byte> box, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> key)
    {
        if (box.Length < MacSize) return false;
        fixed (byte* m = plaintext, c = box, n = nonce, k = key) return crypto_secretbox_open_easy(m, c, (ulong)box.Length, n, k) == 0;
    }

    private static void Check(int result)
    {
        if (result != 0) throw new ZmtpException("libsodium refused an operation that cannot fail.");
    }

    private static bool Load()
    {
        if (AppContext.TryGetSwitch(ForbiddenSwitch, out var isForbidden) && isForbidden) return false;
        foreach (var name in (ReadOnlySpan<string>)["libsodium.so.23", "libsodium.so.26", "libsodium", "libsodium.dylib", "libsodium.dll"])
        {
            if (!NativeLibrary.TryLoad(name, out var handle)) continue;
            NativeLibrary.SetDllImportResolver(typeof(Sodium).Assembly, (library, _, _) => library == Library ? handle : 0);
            return sodium_init() >= 0;
        }

        return false;
    }

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int sodium_init();

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int crypto_box_keypair(byte* pk, byte* sk);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int crypto_scalarmult_base(byte* pk, byte* sk);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int crypto_box_beforenm(byte* k, byte* pk, byte* sk);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int crypto_box_easy_afternm(byte* c, byte* m, ulong length, byte* n, byte* k);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int crypto_box_open_easy_afternm(byte* m, byte* c, ulong length, byte* n, byte* k);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int crypto_secretbox_easy(byte* c, byte* m, ulong length, byte* n, byte* k);

    [LibraryImport(Library), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int crypto_secretbox_open_easy(byte* m, byte* c, ulong length, byte* n, byte* k);
}
