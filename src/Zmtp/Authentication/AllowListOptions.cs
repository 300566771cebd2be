namespace Zmtp.Authentication;

/// <summary>Who may come in, for an <see cref="AllowList"/>.</summary>
public sealed class AllowListOptions
{
    /// <summary>
    /// Addresses that may come in: an IP address, a network (<c>10.0.0.0/8</c>), <c>ipc</c> for every ipc peer, <c>uid:1000</c> for the ipc peers
    /// of a user. Default empty: every address, and what the mechanism proves decides; NULL proves nothing, so it needs an entry or <see cref="AllowAny"/>.
    /// </summary>
    public IReadOnlyList<string> Allow { get; set; } = [];

    /// <summary>Addresses that may not, also when <see cref="Allow"/> or a password would let them in. Same form. Default empty.</summary>
    public IReadOnlyList<string> Deny { get; set; } = [];

    /// <summary>PLAIN: passwords by user name, in clear text or as <see cref="PasswordHash"/>. The name is the user id.</summary>
    public IReadOnlyDictionary<string, string> Users { get; set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>CURVE: public keys of clients, 32 bytes each. The key in Z85 is the user id.</summary>
    public IReadOnlyList<byte[]> CurveKeys { get; set; } = [];

    /// <summary>
    /// CURVE: a directory whose files <c>*.key</c> are certificates of clients, as <c>zmq.auth</c> writes them. Read again when it changes; a file
    /// that cannot be read keeps the key that it had. Default null.
    /// </summary>
    public string? CertificateDirectory { get; set; }

    /// <summary>CURVE and NULL: every key, or everybody, from an address that may come in. Default false.</summary>
    public bool AllowAny { get; set; }

    /// <summary>How often the certificates' time stamps are looked at, besides the system's notice of changes. Default 10 s.</summary>
    public TimeSpan CheckInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The clock of these checks.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Told, in words for a log, when certificates were read again (without an exception) and when one could not be (with it). Default: nobody.</summary>
    public Action<string, Exception?>? Report { get; set; }
}
