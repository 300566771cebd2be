using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>
/// How the connections of a socket are secured, and who may come in. Files are read at the start; relative paths begin at the working directory. A
/// secret may also come from an environment variable, as every setting may: <c>Gateway__Backends__jobs__Security__Password</c>.
/// </summary>
public sealed class SecurityOptions
{
    /// <summary>NULL (nothing), PLAIN (user and password, in clear text) or CURVE (keys, encrypted; needs libsodium). Both sides need the same. Default NULL.</summary>
    [AllowedValues("NULL", "PLAIN", "CURVE")]
    public string Mechanism { get; set; } = "NULL";

    /// <summary>Client shows who it is, Server decides who may come in, whichever side connects. Default Client. For PLAIN and CURVE only.</summary>
    [AllowedValues("Client", "Server")]
    public string Role { get; set; } = "Client";

    /// <summary>PLAIN client: the user name, up to 255 bytes of UTF-8.</summary>
    public string? UserName { get; set; }

    /// <summary>PLAIN client: the password, up to 255 bytes of UTF-8. It or <see cref="PasswordFile"/>.</summary>
    public string? Password { get; set; }

    /// <summary>PLAIN client: a file whose first line is the password.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>CURVE: our secret key as 40 characters of Z85. It or <see cref="SecretKeyFile"/>; a client with neither makes a new key at each start.</summary>
    public string? SecretKey { get; set; }

    /// <summary>CURVE: a file with our secret key: a certificate <c>NAME.key_secret</c> as <c>gateway curve-keypair --out NAME</c> and zmq.auth write it, or the 40 characters alone.</summary>
    public string? SecretKeyFile { get; set; }

    /// <summary>CURVE client: the server's public key as 40 characters of Z85. It or <see cref="ServerKeyFile"/>; no other server is talked to.</summary>
    public string? ServerKey { get; set; }

    /// <summary>CURVE client: a file with the server's public key: a certificate <c>NAME.key</c>, or the 40 characters alone.</summary>
    public string? ServerKeyFile { get; set; }

    /// <summary>
    /// Server, or NULL: addresses that may come in: an IP address, a network (<c>10.0.0.0/8</c>), <c>ipc</c> for every ipc peer, <c>uid:1000</c> for
    /// those of a user. Default: every address, and the password or key decides.
    /// </summary>
    [Allowed(SecurityReader.AddressRule)]
    public List<string> Allow { get; set; } = [];

    /// <summary>Server, or NULL: addresses that may not, whatever they show. Same form as <see cref="Allow"/>.</summary>
    [Allowed(SecurityReader.AddressRule)]
    public List<string> Deny { get; set; } = [];

    /// <summary>PLAIN server: who may come in, by user name.</summary>
    public Dictionary<string, SecurityUserOptions> Users { get; set; } = new(StringComparer.Ordinal);

    /// <summary>CURVE server: public keys of clients that may come in, 40 characters of Z85 each.</summary>
    [Allowed("40 characters of Z85")]
    public List<string> Keys { get; set; } = [];

    /// <summary>
    /// CURVE server: a directory whose files <c>*.key</c> are certificates of clients that may come in, as zmq.auth writes them. Followed while the
    /// gateway runs; a file that cannot be read keeps the key that it had, and the log says so.
    /// </summary>
    public string? CertificateDirectory { get; set; }

    /// <summary>CURVE server: every key may come in, which is encryption without authentication. NULL: every address that <see cref="Deny"/> does not name. Default false.</summary>
    public bool AllowAny { get; set; }

    /// <summary>Name that the authenticator is asked with (ZAP_DOMAIN), up to 255 bytes. Default none; <c>global</c> for NULL with lists.</summary>
    public string ZapDomain { get; set; } = "";
}

/// <summary>A user of a PLAIN server.</summary>
public sealed class SecurityUserOptions
{
    /// <summary>The password, in clear text or as <c>gateway hash-password</c> prints it. It or <see cref="PasswordFile"/>.</summary>
    public string? Password { get; set; }

    /// <summary>A file whose first line is the password, in clear text or hashed.</summary>
    public string? PasswordFile { get; set; }
}
