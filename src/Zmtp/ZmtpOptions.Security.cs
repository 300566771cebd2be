using System.Text;
using Zmtp.Security;
using Zmtp.Wire;

namespace Zmtp;

/// <content>Mechanisms and who may come in.</content>
public sealed partial class ZmtpOptions
{
    /// <summary>Largest frame on a CURVE connection, which is held whole before it is believed. Default 64 MiB.</summary>
    public int MaxEncryptedFrameSize { get; set; } = 64 << 20;

    /// <summary>PLAIN, client: the user name, up to 255 bytes of UTF-8. Default null: not PLAIN. (PLAIN_USERNAME)</summary>
    public string? PlainUserName { get; set; }

    /// <summary>PLAIN, client: the password, up to 255 bytes of UTF-8. (PLAIN_PASSWORD)</summary>
    public string PlainPassword { get; set; } = "";

    /// <summary>PLAIN, server. Needs an <see cref="Authenticator"/>. Default false. (PLAIN_SERVER)</summary>
    public bool PlainServer { get; set; }

    /// <summary>CURVE: our long-term keys; with <see cref="CurveServerKey"/> as a client, with <see cref="CurveServer"/> as a server. (CURVE_PUBLICKEY, CURVE_SECRETKEY)</summary>
    public CurveKeyPair? CurveKeys { get; set; }

    /// <summary>CURVE, client: the server's public key, 32 bytes. Default null: not a client. (CURVE_SERVERKEY)</summary>
    public byte[]? CurveServerKey { get; set; }

    /// <summary>CURVE, server. Needs <see cref="CurveKeys"/> and an <see cref="Authenticator"/>. Default false. (CURVE_SERVER)</summary>
    public bool CurveServer { get; set; }

    /// <summary>Decides about peers, as a server of PLAIN or CURVE and, with a <see cref="ZapDomain"/>, of NULL. Default null.</summary>
    public IAuthenticator? Authenticator { get; set; }

    /// <summary>Name that the authenticator is asked with. Default empty: NULL peers are not asked about. (ZAP_DOMAIN)</summary>
    public string ZapDomain { get; set; } = "";

    /// <summary>The mechanism of one new connection.</summary>
    internal Mechanism CreateMechanism(SocketType type) => this switch
    {
        { PlainServer: true } => new PlainServerMechanism(type, Identity),
        { PlainUserName: { } user } => new PlainClientMechanism(type, Identity, Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes(PlainPassword)),
        { CurveServer: true } => new CurveServerMechanism(type, Identity, CurveKeys!),
        { CurveServerKey: { } serverKey } => new CurveClientMechanism(type, Identity, CurveKeys!, serverKey),
        _ => new NullMechanism(type, Identity, asks: Authenticator is not null && ZapDomain.Length > 0),
    };

    private void CheckSecurity()
    {
        var mechanisms = (PlainServer ? 1 : 0) + (PlainUserName is null ? 0 : 1) + (CurveServer ? 1 : 0) + (CurveServerKey is null ? 0 : 1);
        if (mechanisms > 1) throw new ZmtpException("PlainServer, PlainUserName, CurveServer and CurveServerKey exclude each other: a socket has one mechanism and one role.");
        if ((PlainServer || CurveServer) && Authenticator is null) throw new ZmtpException("A server of PLAIN or CURVE needs an Authenticator: nobody is let in silently.");
        if ((CurveServer || CurveServerKey is not null) && CurveKeys is null) throw new ZmtpException("CURVE needs CurveKeys.");
        if (CurveServerKey is { Length: not 32 }) throw new ZmtpException($"CurveServerKey has 32 bytes, not {CurveServerKey.Length}.");
        if (Encoding.UTF8.GetByteCount(PlainUserName ?? "") > byte.MaxValue || Encoding.UTF8.GetByteCount(PlainPassword) > byte.MaxValue)
            throw new ZmtpException("PlainUserName and PlainPassword have up to 255 bytes.");
        if (CurveServer || CurveServerKey is not null) Sodium.ThrowIfMissing();
    }
}
