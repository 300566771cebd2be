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

    /// <summary>PLAIN, server. An <see cref="Authenticator"/> or a ZAP handler decides; without one nobody comes in. Default false. (PLAIN_SERVER)</summary>
    public bool PlainServer { get; set; }

    /// <summary>CURVE: our long-term keys; with <see cref="CurveServerKey"/> as a client, with <see cref="CurveServer"/> as a server. (CURVE_PUBLICKEY, CURVE_SECRETKEY)</summary>
    public CurveKeyPair? CurveKeys { get; set; }

    /// <summary>CURVE, client: the server's public key, 32 bytes. Default null: not a client. (CURVE_SERVERKEY)</summary>
    public byte[]? CurveServerKey { get; set; }

    /// <summary>
    /// CURVE, server. Needs <see cref="CurveKeys"/>. An <see cref="Authenticator"/> or a ZAP handler decides; without one nobody comes in
    /// unless <see cref="CurveAllowAny"/> says so. Default false. (CURVE_SERVER)
    /// </summary>
    public bool CurveServer { get; set; }

    /// <summary>CURVE, server: every key is welcome while nobody decides, which is encryption without authentication. Default false; libzmq does it silently.</summary>
    public bool CurveAllowAny { get; set; }

    /// <summary>
    /// Decides about peers, as a server of PLAIN or CURVE and, with a <see cref="ZapDomain"/>, of NULL. Default null: the REP or ROUTER socket
    /// that is bound to <c>inproc://zeromq.zap.01</c> in <see cref="Inproc"/> is asked, as 27/ZAP says. With an authenticator it is not asked.
    /// </summary>
    public IAuthenticator? Authenticator { get; set; }

    /// <summary>
    /// Name that the authenticator is asked with, up to 255 bytes. Default empty: NULL peers are not asked about. (ZAP_DOMAIN, with
    /// ZAP_ENFORCE_DOMAIN: when nobody is there to be asked, the peer is refused.)
    /// </summary>
    public string ZapDomain { get; set; } = "";

    /// <summary>
    /// Most accepted connections from one address that have not finished their handshake, per listener. Default 250; 0 for no limit. Above it,
    /// as above <see cref="MaxHandshakes"/>, the one that has been silent longest is closed.
    /// </summary>
    public int MaxHandshakesPerAddress { get; set; } = 250;

    /// <summary>The mechanism of one new connection.</summary>
    internal Mechanism CreateMechanism(SocketType type)
    {
        var mechanism = MechanismFor(type);
        mechanism.OwnMetadata = Metadata;
        return mechanism;
    }

    private Mechanism MechanismFor(SocketType type) => this switch
    {
        { PlainServer: true } => new PlainServerMechanism(type, Identity),
        { PlainUserName: { } user } => new PlainClientMechanism(type, Identity, Encoding.UTF8.GetBytes(user), Encoding.UTF8.GetBytes(PlainPassword)),
        { CurveServer: true } => new CurveServerMechanism(type, Identity, CurveKeys!),
        { CurveServerKey: { } serverKey } => new CurveClientMechanism(type, Identity, CurveKeys!, serverKey),
        _ => new NullMechanism(type, Identity, asks: ZapDomain.Length > 0),
    };

    private void CheckSecurity()
    {
        var mechanisms = (PlainServer ? 1 : 0) + (PlainUserName is null ? 0 : 1) + (CurveServer ? 1 : 0) + (CurveServerKey is null ? 0 : 1);
        if (mechanisms > 1) throw new ZmtpException("PlainServer, PlainUserName, CurveServer and CurveServerKey exclude each other: a socket has one mechanism and one role.");
        if (CurveAllowAny && !CurveServer) throw new ZmtpException("CurveAllowAny is for CurveServer only.");
        if (CurveAllowAny && Authenticator is not null) throw new ZmtpException("CurveAllowAny and an Authenticator exclude each other.");
        if (Encoding.UTF8.GetByteCount(ZapDomain) > byte.MaxValue) throw new ZmtpException("ZapDomain has up to 255 bytes.");
        if ((CurveServer || CurveServerKey is not null) && CurveKeys is null) throw new ZmtpException("CURVE needs CurveKeys.");
        if (CurveServerKey is { Length: not 32 }) throw new ZmtpException($"CurveServerKey has 32 bytes, not {CurveServerKey.Length}.");
        if (Encoding.UTF8.GetByteCount(PlainUserName ?? "") > byte.MaxValue || Encoding.UTF8.GetByteCount(PlainPassword) > byte.MaxValue)
            throw new ZmtpException("PlainUserName and PlainPassword have up to 255 bytes.");
        if (CurveServer || CurveServerKey is not null) Sodium.ThrowIfMissing();
    }
}
