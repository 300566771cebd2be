using System.Buffers;
using System.Security.Cryptography;
using Zmtp.Wire;

namespace Zmtp.Security;

/// <summary>PLAIN, client: a user name and a password in clear text (24/ZMTP-PLAIN).</summary>
/// <remarks>The file holds both sides of one handshake: HELLO, WELCOME, INITIATE, READY.</remarks>
/// <param name="password">Owned from here on, and zeroed at the end.</param>
internal sealed class PlainClientMechanism(SocketType type, byte[] identity, byte[] user, byte[] password) : Mechanism
{
    private bool _welcomed;

    public override string Name => "PLAIN";

    public override bool IsServer => false;

    public override HandshakeStep Start(IBufferWriter<byte> output)
    {
        var data = new byte[2 + user.Length + password.Length];
        data[0] = (byte)user.Length;
        user.CopyTo(data, 1);
        data[1 + user.Length] = (byte)password.Length;
        password.CopyTo(data, 2 + user.Length);
        output.Advance(Command.WriteFrame(output.GetSpan(data.Length + 32), "HELLO"u8, data));
        CryptographicOperations.ZeroMemory(data);
        return HandshakeStep.Continue;
    }

    public override void Dispose()
    {
        CryptographicOperations.ZeroMemory(password);
        base.Dispose();
    }

    public override HandshakeStep Receive(Command command, IBufferWriter<byte> output, out ProtocolError error, out string reason)
    {
        (error, reason) = (ProtocolError.None, "");
        if (command.Name.SequenceEqual(CommandNames.Error)) return Fail(ProtocolError.RefusedByPeer, NullMechanism.ErrorReason(command.Data), out error, out reason);
        if (!_welcomed && command.Name.SequenceEqual("WELCOME"u8) && command.Data.IsEmpty)
        {
            _welcomed = true;
            NullMechanism.WriteProperties(output, "INITIATE"u8, type, identity, OwnMetadata);
            return HandshakeStep.Continue;
        }

        if (!_welcomed || !command.Name.SequenceEqual(CommandNames.Ready)) return Fail(ProtocolError.UnexpectedCommand, "", out error, out reason);
        error = Metadata.TryParse(command.Data, out var properties);
        Properties = properties;
        return error == ProtocolError.None ? HandshakeStep.Done : HandshakeStep.Failed;
    }
}

/// <summary>PLAIN, server: asks the authenticator.</summary>
internal sealed class PlainServerMechanism(SocketType type, byte[] identity) : Mechanism
{
    private byte[][] _credentials = [];
    private bool _welcomed;

    public override string Name => "PLAIN";

    public override bool IsServer => true;

    public override IReadOnlyList<byte[]> Credentials => _credentials;

    // The client speaks first.
    public override HandshakeStep Start(IBufferWriter<byte> output) => HandshakeStep.Continue;

    public override HandshakeStep Receive(Command command, IBufferWriter<byte> output, out ProtocolError error, out string reason)
    {
        (error, reason) = (ProtocolError.None, "");
        if (_credentials.Length == 0 && command.Name.SequenceEqual("HELLO"u8))
        {
            if (!TryReadHello(command.Data)) return Fail(ProtocolError.MalformedCommand, "HELLO", out error, out reason);
            return HandshakeStep.Authenticate;
        }

        if (!_welcomed || !command.Name.SequenceEqual("INITIATE"u8)) return Fail(ProtocolError.UnexpectedCommand, "", out error, out reason);
        error = Metadata.TryParse(command.Data, out var properties);
        if (error != ProtocolError.None) return HandshakeStep.Failed;
        Properties = properties;
        NullMechanism.WriteReady(output, type, identity, OwnMetadata);
        return HandshakeStep.Done;
    }

    public override HandshakeStep Authenticated(AuthenticationResult result, IBufferWriter<byte> output)
    {
        Forget();
        if (!result.IsAccepted)
        {
            WriteError(output, result.Status);
            return HandshakeStep.Failed;
        }

        _welcomed = true;
        output.Advance(Command.WriteFrame(output.GetSpan(32), "WELCOME"u8, []));
        return HandshakeStep.Continue;
    }

    public override void Dispose()
    {
        Forget();
        base.Dispose();
    }

    private void Forget()
    {
        foreach (var credential in _credentials) CryptographicOperations.ZeroMemory(credential);
    }

    private bool TryReadHello(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || data.Length < 2 + data[0]) return false;
        var user = data.Slice(1, data[0]);
        var rest = data[(1 + user.Length)..];
        // Nothing may follow the password.
        if (rest.Length != 1 + rest[0]) return false;
        _credentials = [user.ToArray(), rest[1..].ToArray()];
        return true;
    }
}
