using System.Buffers;
using Zmtp.Security;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>Greeting and mechanism of one connection as a machine of bytes: what arrived goes in, what to send comes out. No socket, no clock.</summary>
internal sealed class Handshake(Mechanism mechanism, SocketType ownType, SessionForm form = SessionForm.Zmtp)
{
    private readonly ArrayBufferWriter<byte> _output = new(256);
    private FrameDecoder _decoder = new(new DecoderLimits(0, 1, mechanism.MaxCommandBytes, mechanism.MaxCommandBytes));
    private Metadata? _decided;
    private bool _greeted;
    private int _received;

    /// <summary>Our routing id, which bare ZWS 2.0 sends without a mechanism.</summary>
    public byte[] Identity { get; init; } = [];

    public ProtocolError Error { get; private set; }

    public string Reason { get; private set; } = "";

    public SocketType PeerType { get; private set; }

    public byte[] PeerIdentity { get; private set; } = [];

    public byte PeerMinor { get; private set; }

    /// <summary>Who the peer is, as the authenticator said; empty when nobody was asked.</summary>
    public string UserId { get; private set; } = "";

    /// <summary>After Done: the peer's properties and what the authenticator added.</summary>
    public Metadata Properties { get; private set; } = new();

    /// <summary>Our greeting, to be sent before anything is waited for: some peers send theirs only step by step.</summary>
    public ReadOnlyMemory<byte> Greeting()
    {
        var greeting = new byte[Wire.Greeting.Size];
        Wire.Greeting.Write(greeting, mechanism.Name, mechanism.IsServer);
        return greeting;
    }

    /// <summary>What is to be sent now, also after Failed.</summary>
    public ReadOnlyMemory<byte> TakeOutput()
    {
        if (_output.WrittenCount == 0) return default;
        var bytes = _output.WrittenSpan.ToArray();
        // Cleared, not only forgotten: a PLAIN password stood in it.
        _output.Clear();
        return bytes;
    }

    /// <summary>Takes what is unread.</summary>
    /// <param name="consumed">Bytes taken; what follows Done is traffic.</param>
    public HandshakeStep Receive(ReadOnlySpan<byte> unread, out int consumed)
    {
        consumed = 0;
        if (form == SessionForm.BareWebSocket) return ReceiveRoutingId(unread, out consumed);
        if (!_greeted && form == SessionForm.WebSocket)
        {
            // The subprotocol was the greeting. What ZMTP 3.1 made commands are messages here, as in 3.0.
            _greeted = true;
            var first = mechanism.Start(_output);
            if (first != HandshakeStep.Continue) return first;
        }

        if (!_greeted)
        {
            var status = Wire.Greeting.TryParse(unread, mechanism.Name, out var greeting, out var error);
            if (status == OperationStatus.NeedMoreData) return HandshakeStep.Continue;
            if (status == OperationStatus.InvalidData) return Fail(error, Describe(error, unread));
            (_greeted, PeerMinor, consumed) = (true, greeting.Minor, Wire.Greeting.Size);
            if (greeting.Major > 3) PeerMinor = 1;
            var first = mechanism.Start(_output);
            if (first != HandshakeStep.Continue) return first;
        }

        while (true)
        {
            var result = _decoder.Next(unread[consumed..], out var taken, out var part, out var error);
            if (result == DecodeResult.NeedMoreData) return HandshakeStep.Continue;
            // The decoder takes no message before READY: its limit is zero bytes, and an empty frame is caught here.
            if (result == DecodeResult.Part || error == ProtocolError.FrameTooLarge) return Fail(ProtocolError.UnexpectedCommand, "a message before READY");
            if (result == DecodeResult.Invalid) return Fail(error, "");
            consumed += taken;
            _received += taken;
            if (_received > mechanism.MaxHandshakeBytes) return Fail(ProtocolError.CommandTooLarge, $"more than {mechanism.MaxHandshakeBytes} bytes before READY");
            var step = TakeCommand(part.Bytes);
            if (step != HandshakeStep.Continue) return step;
        }
    }

    /// <summary>Bare ZWS 2.0: the first message each way is the routing id, and no socket type is told.</summary>
    private HandshakeStep ReceiveRoutingId(ReadOnlySpan<byte> unread, out int consumed)
    {
        consumed = 0;
        if (!_greeted)
        {
            _greeted = true;
            var header = FrameHeader.For(Identity.Length);
            _output.Advance(header.Write(_output.GetSpan(FrameHeader.MaxSize)));
            _output.Write(Identity);
        }

        var status = FrameHeader.TryParse(unread, byte.MaxValue, out var frame, out var error);
        if (status == OperationStatus.InvalidData) return Fail(error == ProtocolError.FrameTooLarge ? ProtocolError.MalformedIdentity : error, "");
        if (status == OperationStatus.NeedMoreData || unread.Length < frame.Size + (int)frame.BodyLength) return HandshakeStep.Continue;
        consumed = frame.Size + (int)frame.BodyLength;
        PeerIdentity = unread[frame.Size..consumed].ToArray();
        return (frame.Flags & FrameFlags.More) != 0 || PeerIdentity is [0, ..] ? Fail(ProtocolError.MalformedIdentity, "") : HandshakeStep.Done;
    }

    private HandshakeStep TakeCommand(ReadOnlySpan<byte> body)
    {
        // libzmq's PLAIN server misspells ERROR: 5E "RROR", a slip of its source that its own client knows (specification digest, section 6).
        if (mechanism is PlainClientMechanism && body.StartsWith("^RROR"u8)) return Fail(ProtocolError.RefusedByPeer, NullMechanism.ErrorReason(body[5..]));
        var error = Command.TryParse(body, out var command);
        if (error != ProtocolError.None) return Fail(error, "");
        var step = mechanism.Receive(command, _output, out error, out var reason);
        if (step == HandshakeStep.Failed) return Fail(error, reason);
        return step == HandshakeStep.Done ? CheckProperties() : step;
    }

    /// <summary>The answer to Authenticate.</summary>
    public HandshakeStep Authenticated(AuthenticationResult result)
    {
        var step = mechanism.Authenticated(result, _output);
        if (result.IsFailure) return Fail(ProtocolError.AuthenticatorFailed, result.Text);
        if (step == HandshakeStep.Failed) return Fail(ProtocolError.Unauthorized, result.Text.Length > 0 ? $"{result.Status} {result.Text}" : $"{result.Status}");
        (UserId, _decided) = (result.UserId, result.Properties);
        return step == HandshakeStep.Done ? CheckProperties() : step;
    }

    private HandshakeStep CheckProperties()
    {
        var name = mechanism.Properties["Socket-Type"] ?? [];
        PeerType = SocketTypes.Parse(name);
        if (PeerType == SocketType.None) return Refuse(ProtocolError.UnknownSocketType, $"\"{NullMechanism.Printable(name)}\"");
        if (!ownType.Accepts(PeerType)) return Refuse(ProtocolError.IncompatibleSocketType, $"the peer is a {PeerType.Name()}, ours is a {ownType.Name()}");
        PeerIdentity = mechanism.Properties["Identity"] ?? [];
        if (PeerIdentity.Length > byte.MaxValue || (PeerIdentity.Length > 0 && PeerIdentity[0] == 0)) return Refuse(ProtocolError.MalformedIdentity, "");
        Properties = mechanism.Properties.Authenticated(UserId, _decided);
        return HandshakeStep.Done;
    }

    private HandshakeStep Refuse(ProtocolError error, string reason)
    {
        ReadOnlySpan<byte> words = "Invalid socket type"u8;
        if (error == ProtocolError.MalformedIdentity) words = "Invalid identity"u8;
        Span<byte> data = stackalloc byte[1 + words.Length];
        data[0] = (byte)words.Length;
        words.CopyTo(data[1..]);
        _output.Advance(Command.WriteFrame(_output.GetSpan(64), CommandNames.Error, data));
        return Fail(error, reason);
    }

    private HandshakeStep Fail(ProtocolError error, string reason)
    {
        (Error, Reason) = (error, reason);
        return HandshakeStep.Failed;
    }

    private string Describe(ProtocolError error, ReadOnlySpan<byte> unread) => error switch
    {
        ProtocolError.NotZmtp when unread.StartsWith("GET "u8) || unread.StartsWith("POST"u8) || unread.StartsWith("HTTP"u8) => "it speaks HTTP",
        ProtocolError.NotZmtp when unread.StartsWith((ReadOnlySpan<byte>)[0x16, 0x03]) => "it speaks TLS",
        ProtocolError.MechanismMismatch => $"the peer wants {Wire.Greeting.AnnouncedMechanism(unread)}, ours is {mechanism.Name}",
        _ => "",
    };
}
