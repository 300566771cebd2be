using System.Buffers;
using System.Text;
using Zmtp.Wire;

namespace Zmtp.Security;

/// <summary>NULL: both sides send READY at once and are done when the other's has come (37/ZMTP 3.1, "The NULL Security Mechanism").</summary>
/// <param name="asks">Whether the authenticator decides first (a ZAP domain is set); READY or ERROR follows its decision.</param>
internal sealed class NullMechanism(SocketType type, byte[] identity, bool asks = false) : Mechanism
{
    public override string Name => "NULL";

    /// <summary>Whether a decision comes before READY.</summary>
    public bool Asks => asks;

    public override bool IsServer => false;

    public override HandshakeStep Start(IBufferWriter<byte> output)
    {
        if (asks) return HandshakeStep.Authenticate;
        WriteReady(output, type, identity, OwnMetadata);
        return HandshakeStep.Continue;
    }

    public override HandshakeStep Authenticated(AuthenticationResult result, IBufferWriter<byte> output)
    {
        if (result.IsAccepted) WriteReady(output, type, identity, OwnMetadata);
        else WriteError(output, result.Status);
        return result.IsAccepted ? HandshakeStep.Continue : HandshakeStep.Failed;
    }

    public override HandshakeStep Receive(Command command, IBufferWriter<byte> output, out ProtocolError error, out string reason)
    {
        (error, reason) = (ProtocolError.None, "");
        if (command.Name.SequenceEqual(CommandNames.Error))
        {
            (error, reason) = (ProtocolError.RefusedByPeer, ErrorReason(command.Data));
            return HandshakeStep.Failed;
        }

        if (!command.Name.SequenceEqual(CommandNames.Ready))
        {
            error = ProtocolError.UnexpectedCommand;
            return HandshakeStep.Failed;
        }

        error = Metadata.TryParse(command.Data, out var properties);
        if (error != ProtocolError.None) return HandshakeStep.Failed;
        Properties = properties;
        return HandshakeStep.Done;
    }

    /// <summary>Writes READY; the identity is announced, even empty, by the types that libzmq announces it for.</summary>
    internal static void WriteReady(IBufferWriter<byte> output, SocketType type, byte[] identity, IReadOnlyDictionary<string, byte[]> own) =>
        WriteProperties(output, CommandNames.Ready, type, identity, own);

    /// <summary>Writes a command whose data are our properties.</summary>
    internal static void WriteProperties(IBufferWriter<byte> output, ReadOnlySpan<byte> command, SocketType type, byte[] identity, IReadOnlyDictionary<string, byte[]> own)
    {
        var data = OurProperties(type, identity, own);
        output.Advance(Command.WriteFrame(output.GetSpan(Command.FrameSize(command.Length, data.Length)), command, data));
    }

    /// <summary>Our properties as bytes.</summary>
    internal static byte[] OurProperties(SocketType type, byte[] identity, IReadOnlyDictionary<string, byte[]> own)
    {
        var name = Encoding.ASCII.GetBytes(type.Name());
        var size = Metadata.PropertySize("Socket-Type", name.Length) + (type.AnnouncesIdentity() ? Metadata.PropertySize("Identity", identity.Length) : 0)
            + own.Sum(property => Metadata.PropertySize(property.Key, property.Value.Length));
        var data = new byte[size];
        var at = Metadata.WriteProperty(data, "Socket-Type", name);
        if (type.AnnouncesIdentity()) at += Metadata.WriteProperty(data.AsSpan(at), "Identity", identity);
        foreach (var (key, value) in own) at += Metadata.WriteProperty(data.AsSpan(at), key, value);
        return data;
    }

    /// <summary>The words of an ERROR command, printable characters only.</summary>
    internal static string ErrorReason(ReadOnlySpan<byte> data) => data.IsEmpty ? "" : Printable(data.Slice(1, Math.Min(data[0], data.Length - 1)));

    /// <summary>A peer's bytes for a log: printable characters, and no more than a reason may have.</summary>
    internal static string Printable(ReadOnlySpan<byte> octets)
    {
        var text = octets[..Math.Min(octets.Length, byte.MaxValue)];
        var characters = new StringBuilder(text.Length);
        foreach (var octet in text) characters.Append(octet is >= 0x20 and < 0x7F ? (char)octet : '?');
        return characters.ToString();
    }
}
