using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Zmtp.Wire;

namespace Zmtp.Security;

/// <summary>CURVE, server: proves its key, learns the client's and asks the authenticator about it (26/CURVEZMQ).</summary>
internal sealed class CurveServerMechanism : Mechanism
{
    private readonly SocketType _type;
    private readonly byte[] _identity;
    private readonly CurveKeyPair _keys;
    private readonly byte[] _shortPublic = new byte[Sodium.KeySize];
    private readonly byte[] _shortSecret = new byte[Sodium.KeySize];
    private readonly byte[] _cookieKey = new byte[Sodium.KeySize];
    private readonly byte[] _clientShort = new byte[Sodium.KeySize];
    private readonly byte[] _shared = new byte[Sodium.KeySize];
    private readonly (CurveKeyPair ShortTerm, byte[] CookieKey)? _recorded;
    private byte[][] _credentials = [];
    private ulong _received;
    private State _state;

    /// <param name="recorded">Only for tests against recorded traffic: the short-term pair and the cookie's key; else both are made.</param>
    public CurveServerMechanism(SocketType type, byte[] identity, CurveKeyPair keys, (CurveKeyPair ShortTerm, byte[] CookieKey)? recorded = null)
    {
        Sodium.ThrowIfMissing();
        (_type, _identity, _keys, _recorded) = (type, identity, keys, recorded);
    }

    private enum State
    {
        Hello,
        Initiate,
        Over,
    }

    public override string Name => "CURVE";

    public override bool IsServer => true;

    public override IReadOnlyList<byte[]> Credentials => _credentials;

    public override int MaxCommandBytes => 8 * 1024;

    public override int MaxHandshakeBytes => 64 * 1024;

    // The client speaks first.
    public override HandshakeStep Start(IBufferWriter<byte> output) => HandshakeStep.Continue;

    public override HandshakeStep Receive(Command command, IBufferWriter<byte> output, out ProtocolError error, out string reason)
    {
        (error, reason) = (ProtocolError.None, "");
        if (_state == State.Hello && command.Name.SequenceEqual("HELLO"u8))
        {
            _state = State.Initiate;
            return TryWelcome(command.Data, output) ? HandshakeStep.Continue : Fail(ProtocolError.BrokenBox, "HELLO: the client expects another server key", out error, out reason);
        }

        if (_state != State.Initiate || !command.Name.SequenceEqual("INITIATE"u8)) return Fail(ProtocolError.UnexpectedCommand, "", out error, out reason);
        _state = State.Over;
        error = TakeInitiate(command.Data);
        return error == ProtocolError.None ? HandshakeStep.Authenticate : Fail(error, "INITIATE", out error, out reason);
    }

    public override HandshakeStep Authenticated(AuthenticationResult result, IBufferWriter<byte> output)
    {
        if (!result.IsAccepted)
        {
            WriteError(output, result.Status);
            return HandshakeStep.Failed;
        }

        var properties = NullMechanism.OurProperties(_type, _identity, OwnMetadata);
        var data = new byte[8 + Sodium.MacSize + properties.Length];
        BinaryPrimitives.WriteUInt64BigEndian(data, 1);
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        CurveNonce.Short(nonce, "CurveZMQREADY---"u8, 1);
        Sodium.Seal(data.AsSpan(8), properties, nonce, _shared);
        output.Advance(Command.WriteFrame(output.GetSpan(data.Length + 32), CommandNames.Ready, data));
        Protection = new CurveProtection(_shared, isServer: true, sent: 1, received: _received);
        Forget();
        return HandshakeStep.Done;
    }

    public override void Dispose()
    {
        Forget();
        if (Protection is null) CryptographicOperations.ZeroMemory(_shared);
        base.Dispose();
    }

    /// <summary>With the short-term secret gone, nobody can ever open what was recorded of the connection.</summary>
    private void Forget()
    {
        CryptographicOperations.ZeroMemory(_shortSecret);
        CryptographicOperations.ZeroMemory(_cookieKey);
    }

    private bool TryWelcome(ReadOnlySpan<byte> hello, IBufferWriter<byte> output)
    {
        if (hello.Length != 194 || hello[0] != 1 || hello[1] != 0) return false;
        hello.Slice(74, Sodium.KeySize).CopyTo(_clientShort);
        Span<byte> withClient = stackalloc byte[Sodium.KeySize];
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        if (!Sodium.TrySharedKey(withClient, _clientShort, _keys.SecretKey)) return false;
        CurveNonce.Short(nonce, "CurveZMQHELLO---"u8, BinaryPrimitives.ReadUInt64BigEndian(hello[106..]));
        Span<byte> zeros = stackalloc byte[64];
        if (!Sodium.TryOpen(zeros, hello[114..], nonce, withClient)) return false;

        MakeSecrets();
        var data = new byte[16 + Sodium.MacSize + 128];
        RandomNumberGenerator.Fill(data.AsSpan(0, 16));
        var content = new byte[128];
        _shortPublic.CopyTo(content, 0);
        WriteCookie(content.AsSpan(Sodium.KeySize));
        CurveNonce.Long(nonce, "WELCOME-"u8, data.AsSpan(0, 16));
        Sodium.Seal(data.AsSpan(16), content, nonce, withClient);
        output.Advance(Command.WriteFrame(output.GetSpan(256), "WELCOME"u8, data));
        CryptographicOperations.ZeroMemory(withClient);
        return true;
    }

    private void MakeSecrets()
    {
        if (_recorded is { } recorded)
        {
            recorded.ShortTerm.PublicKey.CopyTo(_shortPublic, 0);
            recorded.ShortTerm.SecretKey.CopyTo(_shortSecret, 0);
            recorded.CookieKey.CopyTo(_cookieKey, 0);
            return;
        }

        Sodium.MakeKeyPair(_shortPublic, _shortSecret);
        RandomNumberGenerator.Fill(_cookieKey);
    }

    private void WriteCookie(Span<byte> cookie)
    {
        RandomNumberGenerator.Fill(cookie[..16]);
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        CurveNonce.Long(nonce, "COOKIE--"u8, cookie[..16]);
        Span<byte> content = stackalloc byte[64];
        _clientShort.CopyTo(content);
        _shortSecret.CopyTo(content[Sodium.KeySize..]);
        Sodium.SealSecret(cookie[16..], content, nonce, _cookieKey);
        CryptographicOperations.ZeroMemory(content);
    }

    private ProtocolError TakeInitiate(ReadOnlySpan<byte> initiate)
    {
        const int vouchSize = 16 + Sodium.MacSize + 64;
        if (initiate.Length < 96 + 8 + Sodium.MacSize + Sodium.KeySize + vouchSize) return ProtocolError.MalformedCommand;
        if (!IsOurCookie(initiate[..96])) return ProtocolError.BrokenBox;
        if (!Sodium.TrySharedKey(_shared, _clientShort, _shortSecret)) return ProtocolError.BrokenBox;
        _received = BinaryPrimitives.ReadUInt64BigEndian(initiate[96..]);
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        CurveNonce.Short(nonce, "CurveZMQINITIATE"u8, _received);
        var content = new byte[initiate.Length - 104 - Sodium.MacSize];
        if (!Sodium.TryOpen(content, initiate[104..], nonce, _shared)) return ProtocolError.BrokenBox;

        var clientKey = content[..Sodium.KeySize];
        var vouch = content.AsSpan(Sodium.KeySize, vouchSize);
        Span<byte> vouchKey = stackalloc byte[Sodium.KeySize];
        Span<byte> vouched = stackalloc byte[64];
        if (!Sodium.TrySharedKey(vouchKey, clientKey, _shortSecret)) return ProtocolError.BrokenBox;
        CurveNonce.Long(nonce, "VOUCH---"u8, vouch[..16]);
        var opened = Sodium.TryOpen(vouched, vouch[16..], nonce, vouchKey);
        CryptographicOperations.ZeroMemory(vouchKey);
        if (!opened) return ProtocolError.BrokenBox;
        // The vouch binds the client's long-term key to this connection and to this server.
        if (!CryptographicOperations.FixedTimeEquals(vouched[..Sodium.KeySize], _clientShort)
            || !CryptographicOperations.FixedTimeEquals(vouched[Sodium.KeySize..], _keys.PublicKey)) return ProtocolError.BrokenBox;
        var error = Metadata.TryParse(content.AsSpan(Sodium.KeySize + vouchSize), out var properties);
        if (error != ProtocolError.None) return error;
        Properties = properties;
        _credentials = [clientKey];
        return ProtocolError.None;
    }

    private bool IsOurCookie(ReadOnlySpan<byte> cookie)
    {
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        CurveNonce.Long(nonce, "COOKIE--"u8, cookie[..16]);
        Span<byte> content = stackalloc byte[64];
        var isOurs = Sodium.TryOpenSecret(content, cookie[16..], nonce, _cookieKey)
            && CryptographicOperations.FixedTimeEquals(content[..Sodium.KeySize], _clientShort)
            && CryptographicOperations.FixedTimeEquals(content[Sodium.KeySize..], _shortSecret);
        CryptographicOperations.ZeroMemory(content);
        return isOurs;
    }
}
