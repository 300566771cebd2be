using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Zmtp.Wire;

namespace Zmtp.Security;

/// <summary>CURVE, client: knows the server's public key and shows its own (26/CURVEZMQ).</summary>
internal sealed class CurveClientMechanism : Mechanism
{
    private readonly SocketType _type;
    private readonly byte[] _identity;
    private readonly CurveKeyPair _keys;
    private readonly byte[] _serverKey;
    private readonly byte[] _shortPublic = new byte[Sodium.KeySize];
    private readonly byte[] _shortSecret = new byte[Sodium.KeySize];
    private readonly byte[] _withServer = new byte[Sodium.KeySize];
    private byte[]? _shared;

    /// <param name="shortTerm">Only for tests against recorded traffic: the short-term pair; else one is made.</param>
    public CurveClientMechanism(SocketType type, byte[] identity, CurveKeyPair keys, byte[] serverKey, CurveKeyPair? shortTerm = null)
    {
        Sodium.ThrowIfMissing();
        (_type, _identity, _keys, _serverKey) = (type, identity, keys, serverKey);
        if (shortTerm is null)
        {
            Sodium.MakeKeyPair(_shortPublic, _shortSecret);
        }
        else
        {
            shortTerm.PublicKey.CopyTo(_shortPublic, 0);
            shortTerm.SecretKey.CopyTo(_shortSecret, 0);
        }

        if (!Sodium.TrySharedKey(_withServer, serverKey, _shortSecret)) throw new ZmtpException("The server's CURVE key is of low order.");
    }

    public override string Name => "CURVE";

    public override bool IsServer => false;

    public override int MaxCommandBytes => 8 * 1024;

    public override int MaxHandshakeBytes => 64 * 1024;

    public override HandshakeStep Start(IBufferWriter<byte> output)
    {
        Span<byte> data = stackalloc byte[194];
        data.Clear();
        data[0] = 1; // Version 1.0; then 72 bytes of padding, so that the server's answer is no amplification.
        _shortPublic.CopyTo(data[74..]);
        BinaryPrimitives.WriteUInt64BigEndian(data[106..], 1);
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        CurveNonce.Short(nonce, "CurveZMQHELLO---"u8, 1);
        Sodium.Seal(data[114..], new byte[64], nonce, _withServer);
        output.Advance(Command.WriteFrame(output.GetSpan(256), "HELLO"u8, data));
        return HandshakeStep.Continue;
    }

    public override HandshakeStep Receive(Command command, IBufferWriter<byte> output, out ProtocolError error, out string reason)
    {
        (error, reason) = (ProtocolError.None, "");
        if (command.Name.SequenceEqual(CommandNames.Error)) return Fail(ProtocolError.RefusedByPeer, NullMechanism.ErrorReason(command.Data), out error, out reason);
        if (_shared is null && command.Name.SequenceEqual("WELCOME"u8))
            return TryInitiate(command.Data, output) ? HandshakeStep.Continue : Fail(ProtocolError.BrokenBox, "WELCOME: the server's key is not the one that was configured", out error, out reason);
        if (_shared is null || !command.Name.SequenceEqual(CommandNames.Ready)) return Fail(ProtocolError.UnexpectedCommand, "", out error, out reason);
        return TakeReady(command.Data, out error, out reason);
    }

    public override void Dispose()
    {
        Forget();
        if (Protection is null && _shared is not null) CryptographicOperations.ZeroMemory(_shared);
        base.Dispose();
    }

    private void Forget()
    {
        CryptographicOperations.ZeroMemory(_shortSecret);
        CryptographicOperations.ZeroMemory(_withServer);
    }

    private bool TryInitiate(ReadOnlySpan<byte> welcome, IBufferWriter<byte> output)
    {
        if (welcome.Length != 16 + Sodium.MacSize + 128) return false;
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        CurveNonce.Long(nonce, "WELCOME-"u8, welcome[..16]);
        Span<byte> content = stackalloc byte[128];
        if (!Sodium.TryOpen(content, welcome[16..], nonce, _withServer)) return false;
        var (serverShort, cookie) = (content[..Sodium.KeySize].ToArray(), content[Sodium.KeySize..].ToArray());
        var shared = new byte[Sodium.KeySize];
        // A key of low order gives a secret that everybody knows; libsodium refuses it.
        if (!Sodium.TrySharedKey(shared, serverShort, _shortSecret)) return false;
        _shared = shared;
        WriteInitiate(serverShort, cookie, output);
        return true;
    }

    private void WriteInitiate(byte[] serverShort, byte[] cookie, IBufferWriter<byte> output)
    {
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        // The vouch: our long-term key says that the short-term key is ours, for this server.
        var vouch = new byte[16 + Sodium.MacSize + 64];
        RandomNumberGenerator.Fill(vouch.AsSpan(0, 16));
        CurveNonce.Long(nonce, "VOUCH---"u8, vouch.AsSpan(0, 16));
        var vouchKey = new byte[Sodium.KeySize];
        if (!Sodium.TrySharedKey(vouchKey, serverShort, _keys.SecretKey)) throw new ZmtpException("The server's short-term key is of low order.");
        Sodium.Seal(vouch.AsSpan(16), (byte[])[.. _shortPublic, .. _serverKey], nonce, vouchKey);
        CryptographicOperations.ZeroMemory(vouchKey);
        byte[] content = [.. _keys.PublicKey, .. vouch, .. NullMechanism.OurProperties(_type, _identity, OwnMetadata)];
        var data = new byte[96 + 8 + Sodium.MacSize + content.Length];
        cookie.CopyTo(data, 0);
        BinaryPrimitives.WriteUInt64BigEndian(data.AsSpan(96), 2);
        CurveNonce.Short(nonce, "CurveZMQINITIATE"u8, 2);
        Sodium.Seal(data.AsSpan(104), content, nonce, _shared);
        output.Advance(Command.WriteFrame(output.GetSpan(data.Length + 32), "INITIATE"u8, data));
    }

    private HandshakeStep TakeReady(ReadOnlySpan<byte> ready, out ProtocolError error, out string reason)
    {
        if (ready.Length < 8 + Sodium.MacSize) return Fail(ProtocolError.MalformedCommand, "READY", out error, out reason);
        var number = BinaryPrimitives.ReadUInt64BigEndian(ready);
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        CurveNonce.Short(nonce, "CurveZMQREADY---"u8, number);
        var plaintext = new byte[ready.Length - 8 - Sodium.MacSize];
        if (!Sodium.TryOpen(plaintext, ready[8..], nonce, _shared)) return Fail(ProtocolError.BrokenBox, "READY", out error, out reason);
        error = Metadata.TryParse(plaintext, out var properties);
        reason = "";
        if (error != ProtocolError.None) return HandshakeStep.Failed;
        Properties = properties;
        Protection = new CurveProtection(_shared!, isServer: false, sent: 2, received: number);
        Forget();
        return HandshakeStep.Done;
    }
}
