using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Zmtp.Wire;

namespace Zmtp.Security;

/// <summary>CURVE's traffic: every frame is a MESSAGE with a nonce that only rises and a box (26/CURVEZMQ, "The MESSAGE Command").</summary>
/// <param name="shared">The key of both short-term keys; owned from here on.</param>
/// <param name="isServer">Decides the prefixes of the nonces.</param>
/// <param name="sent">The last nonce that the handshake used.</param>
/// <param name="received">The last nonce that the peer used.</param>
internal sealed class CurveProtection(byte[] shared, bool isServer, ulong sent, ulong received) : FrameProtection
{
    private const int HeaderSize = 8 + sizeof(ulong);
    private byte[] _plaintext = [];
    private ulong _sent = sent;
    private ulong _received = received;

    public override int Overhead => HeaderSize + Sodium.MacSize + 1;

    private static ReadOnlySpan<byte> Name => "\u0007MESSAGE"u8;

    public override void Seal(FrameFlags flags, ReadOnlySpan<byte> body, Span<byte> output)
    {
        if (_sent == ulong.MaxValue) throw new ZmtpException("The connection has used up its nonces.");
        Name.CopyTo(output);
        BinaryPrimitives.WriteUInt64BigEndian(output[Name.Length..], ++_sent);
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        Nonce(nonce, ours: true, _sent);
        // The plaintext is laid where its ciphertext will stand: libsodium encrypts in place, and nothing is copied twice.
        var plaintext = output.Slice(HeaderSize + Sodium.MacSize, 1 + body.Length);
        plaintext[0] = (byte)(((flags & FrameFlags.More) != 0 ? 1 : 0) | ((flags & FrameFlags.Command) != 0 ? 2 : 0));
        body.CopyTo(plaintext[1..]);
        Sodium.Seal(output.Slice(HeaderSize, Sodium.MacSize + plaintext.Length), plaintext, nonce, shared);
    }

    public override ProtocolError TryOpen(ReadOnlySpan<byte> outer, out FrameFlags flags, out ReadOnlySpan<byte> plaintext)
    {
        flags = FrameFlags.None;
        plaintext = default;
        if (outer.Length < Overhead || !outer.StartsWith(Name)) return ProtocolError.UnexpectedCommand;
        var number = BinaryPrimitives.ReadUInt64BigEndian(outer[Name.Length..]);
        // Gaps are legal; what was there before is a replay (CVE-2014-7203).
        if (number <= _received || number == ulong.MaxValue) return ProtocolError.ReplayedNonce;
        Span<byte> nonce = stackalloc byte[Sodium.NonceSize];
        Nonce(nonce, ours: false, number);
        var box = outer[HeaderSize..];
        var length = box.Length - Sodium.MacSize;
        if (_plaintext.Length < length) Grow(length);
        if (!Sodium.TryOpen(_plaintext.AsSpan(0, length), box, nonce, shared)) return ProtocolError.BrokenBox;
        _received = number;
        if (_plaintext[0] > 3 || _plaintext[0] == 3) return ProtocolError.ReservedFlag;
        flags = ((_plaintext[0] & 1) != 0 ? FrameFlags.More : 0) | ((_plaintext[0] & 2) != 0 ? FrameFlags.Command : 0);
        plaintext = _plaintext.AsSpan(1, length - 1);
        return ProtocolError.None;
    }

    public override void Dispose()
    {
        CryptographicOperations.ZeroMemory(shared);
        Clear();
        base.Dispose();
    }

    private void Nonce(Span<byte> nonce, bool ours, ulong number)
    {
        (isServer == ours ? "CurveZMQMESSAGES"u8 : "CurveZMQMESSAGEC"u8).CopyTo(nonce);
        BinaryPrimitives.WriteUInt64BigEndian(nonce[16..], number);
    }

    private void Grow(int length)
    {
        Clear();
        _plaintext = ArrayPool<byte>.Shared.Rent(length);
    }

    private void Clear()
    {
        if (_plaintext.Length > 0) ArrayPool<byte>.Shared.Return(_plaintext, clearArray: true);
        _plaintext = [];
    }
}
