using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Zmtp.Security;

namespace Zmtp.Authentication;

/// <summary>A CURVE key in a file, as <c>zmq.auth</c> of pyzmq and czmq write and read it (4/ZPL): metadata, a public key, and in the owner's file the secret one.</summary>
public sealed class CurveCertificate
{
    private const int MaxFileBytes = 64 * 1024;

    /// <summary>Makes one.</summary>
    /// <param name="publicKey">32 bytes.</param>
    /// <param name="secretKey">32 bytes, or null for a public certificate.</param>
    /// <param name="metadata">Names and values of the section <c>metadata</c>.</param>
    /// <exception cref="ArgumentException">A key does not have 32 bytes.</exception>
    public CurveCertificate(byte[] publicKey, byte[]? secretKey = null, IReadOnlyDictionary<string, string>? metadata = null)
    {
        if (publicKey.Length != Sodium.KeySize) throw new ArgumentException($"A CURVE key has {Sodium.KeySize} bytes, not {publicKey.Length}.", nameof(publicKey));
        if (secretKey is not null && secretKey.Length != Sodium.KeySize) throw new ArgumentException($"A CURVE key has {Sodium.KeySize} bytes, not {secretKey.Length}.", nameof(secretKey));
        (PublicKey, SecretKey, Metadata) = (publicKey, secretKey, metadata ?? new Dictionary<string, string>(StringComparer.Ordinal));
    }

    /// <summary>The public key, 32 bytes.</summary>
    public byte[] PublicKey { get; }

    /// <summary>The secret key, 32 bytes; null in a public certificate.</summary>
    public byte[]? SecretKey { get; }

    /// <summary>What stands in the section <c>metadata</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Who holds the key: the metadata's <c>user-id</c>, else the public key in Z85.</summary>
    public string UserId => Metadata.TryGetValue("user-id", out var user) && user.Length > 0 ? user : Z85.Encode(PublicKey);

    /// <summary>Reads the text of a certificate.</summary>
    /// <exception cref="FormatException">It is none; the message says why, without any key.</exception>
    public static CurveCertificate Parse(string text)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var keys = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var section = "";
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            var content = line.Trim();
            // A comment fills its line: '#' is also a letter of Z85.
            if (content.Length == 0 || content[0] == '#') continue;
            var equals = content.IndexOf('=', StringComparison.Ordinal);
            if (!char.IsWhiteSpace(line[0])) section = equals < 0 ? content : "";
            if (equals < 0) continue;
            var (name, value) = (content[..equals].TrimEnd(), Unquoted(content[(equals + 1)..].Trim()));
            if (section == "metadata") metadata[name] = value;
            else if (section == "curve" && name is "public-key" or "secret-key") keys[name] = Key(name, value, number);
        }

        if (!keys.TryGetValue("public-key", out var publicKey)) throw new FormatException("it has no public-key in a section curve");
        var secretKey = keys.GetValueOrDefault("secret-key");
        if (secretKey is not null && Sodium.IsAvailable && !CryptographicOperations.FixedTimeEquals(CurveKeyPair.FromSecretKey(secretKey).PublicKey, publicKey))
            throw new FormatException("its public-key is not that of its secret-key");
        return new CurveCertificate(publicKey, secretKey, metadata);
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="FormatException">It is no certificate; the message says why, without any key.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static CurveCertificate Load(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length > MaxFileBytes) throw new FormatException($"it has {file.Length} bytes; certificates are smaller than {MaxFileBytes}");
        using var reader = new StreamReader(file, Encoding.UTF8);
        return Parse(reader.ReadToEnd());
    }

    /// <summary>The text of the public certificate.</summary>
    public string ToPublicText(DateTimeOffset now) => ToText(now, "Public", "Give it to those who have to know this key.", null);

    /// <summary>The text of the owner's certificate.</summary>
    /// <exception cref="InvalidOperationException">There is no secret key.</exception>
    public string ToSecretText(DateTimeOffset now) =>
        ToText(now, "**Secret**", "DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.", SecretKey ?? throw new InvalidOperationException("A public certificate has no secret key."));

    /// <summary>Writes <c>NAME.key</c> and <c>NAME.key_secret</c>, which only their owner may read.</summary>
    /// <param name="name">Path without extension.</param>
    /// <exception cref="IOException">A file is there already: a key that is in use must not be lost. Or it cannot be written.</exception>
    public void Save(string name, DateTimeOffset now)
    {
        var (publicFile, secretFile) = ($"{name}.key", $"{name}.key_secret");
        foreach (var file in new[] { publicFile, secretFile })
        {
            if (File.Exists(file)) throw new IOException($"{file} exists already; remove it first, or choose another name");
        }

        Write(secretFile, ToSecretText(now), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Write(publicFile, ToPublicText(now), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }

    /// <summary>The public key alone: a secret does not belong into logs.</summary>
    public override string ToString() => $"CURVE certificate {Z85.Encode(PublicKey)}";

    private static void Write(string file, string text, UnixFileMode mode)
    {
        // The mode is the file's from its first byte on; setting it later would leave a moment.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
        using var stream = new FileStream(file, options);
        stream.Write(Encoding.UTF8.GetBytes(text));
    }

    private static byte[] Key(string name, string value, int line) =>
        Z85.TryDecode(value, out var key) && key.Length == Sodium.KeySize ? key : throw new FormatException($"line {line}: {name} is not 40 characters of Z85");

    private static string Unquoted(string value) => value.Length >= 2 && value[0] is '"' or '\'' && value[^1] == value[0] ? value[1..^1] : value;

    private string ToText(DateTimeOffset now, string kind, string advice, byte[]? secretKey)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"#   ****  Generated on {now:yyyy-MM-dd HH:mm:ss} UTC by Gateway  ****\n#   ZeroMQ CURVE {kind} Certificate\n#   {advice}\n\nmetadata\n");
        foreach (var (name, value) in Metadata) text.Append(CultureInfo.InvariantCulture, $"    {name} = \"{value}\"\n");
        text.Append(CultureInfo.InvariantCulture, $"curve\n    public-key = \"{Z85.Encode(PublicKey)}\"\n");
        if (secretKey is not null) text.Append(CultureInfo.InvariantCulture, $"    secret-key = \"{Z85.Encode(secretKey)}\"\n");
        return text.ToString();
    }
}
