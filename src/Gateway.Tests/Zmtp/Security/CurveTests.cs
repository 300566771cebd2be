using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Tests.TestSupport;
using Zmtp.Security;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Security;

public class CurveTests
{
    private static readonly JsonElement Vector = JsonDocument.Parse(
        File.ReadAllText(SourceTree.PathOf("src/Gateway.Tests/Vectors/zmtp-curve-known-client.json"))).RootElement;

    [Fact]
    public void A_recorded_handshake_with_libzmq_is_reproduced_and_its_traffic_opened()
    {
        using var client = RecordedClient();
        var output = new ArrayBufferWriter<byte>();
        client.Start(output);
        // The short-term key is the recorded one, so HELLO is the recorded one to the last bit.
        Assert.Equal(Unit("clientToServer", 3), output.WrittenSpan.ToArray());

        Assert.Equal(HandshakeStep.Continue, Receive(client, Unit("serverToClient", 3), output));
        Assert.Equal(HandshakeStep.Done, Receive(client, Unit("serverToClient", 4), output));
        Assert.Equal("REP", Encoding.ASCII.GetString(client.Properties["Socket-Type"]!));
        AssertOpens(client.Protection!, Unit("serverToClient", 5), FrameFlags.More, "");
        AssertOpens(client.Protection!, Unit("serverToClient", 6), FrameFlags.None, "world");
    }

    [Fact]
    public void A_message_that_comes_twice_or_out_of_order_is_refused()
    {
        using var client = RecordedClient();
        var output = new ArrayBufferWriter<byte>();
        client.Start(output);
        Receive(client, Unit("serverToClient", 3), output);
        Receive(client, Unit("serverToClient", 4), output);
        AssertOpens(client.Protection!, Unit("serverToClient", 6), FrameFlags.None, "world");
        Assert.Equal(ProtocolError.ReplayedNonce, Open(client.Protection!, Unit("serverToClient", 6)));
        Assert.Equal(ProtocolError.ReplayedNonce, Open(client.Protection!, Unit("serverToClient", 5)));
    }

    [Fact]
    public void A_message_changed_in_any_bit_is_refused_and_nothing_of_it_delivered()
    {
        var (client, server) = ShakeHands();
        var box = Seal(client.Protection!, FrameFlags.None, "secret"u8);
        for (var at = 0; at < box.Length; at++)
        {
            var changed = (byte[])box.Clone();
            changed[at] ^= 0x01;
            Assert.NotEqual(ProtocolError.None, server.Protection!.TryOpen(changed, out _, out var plaintext));
            Assert.True(plaintext.IsEmpty);
        }

        Assert.Equal(ProtocolError.None, server.Protection!.TryOpen(box, out _, out var content));
        Assert.Equal("secret"u8.ToArray(), content.ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(1_000_000)]
    public void Frames_of_any_length_travel_both_ways(int length)
    {
        var (client, server) = ShakeHands();
        var body = new byte[length];
        new Random(length).NextBytes(body);
        foreach (var (from, to) in new[] { (client, server), (server, client) })
        {
            Assert.Equal(ProtocolError.None, to.Protection!.TryOpen(Seal(from.Protection!, FrameFlags.More, body), out var flags, out var plaintext));
            Assert.Equal(FrameFlags.More, flags);
            Assert.True(plaintext.SequenceEqual(body));
        }
    }

    [Fact]
    public void The_server_learns_the_clients_key_and_properties()
    {
        var keys = CurveKeyPair.Generate();
        var (_, server) = ShakeHands(keys);
        Assert.Equal(keys.PublicKey, Assert.Single(server.Credentials));
        Assert.Equal("DEALER", Encoding.ASCII.GetString(server.Properties["Socket-Type"]!));
    }

    [Fact]
    public void A_client_that_expects_another_server_is_refused_at_its_first_word()
    {
        var server = new CurveServerMechanism(SocketType.Router, [], CurveKeyPair.Generate());
        using var client = new CurveClientMechanism(SocketType.Dealer, [], CurveKeyPair.Generate(), CurveKeyPair.Generate().PublicKey);
        var output = new ArrayBufferWriter<byte>();
        client.Start(output);
        var answer = new ArrayBufferWriter<byte>();
        Assert.Equal(HandshakeStep.Failed, Receive(server, output.WrittenSpan.ToArray(), answer));
        Assert.Equal(0, answer.WrittenCount);
    }

    [Fact]
    public void A_refused_client_hears_ERROR_and_the_status()
    {
        var serverKeys = CurveKeyPair.Generate();
        using var server = new CurveServerMechanism(SocketType.Router, [], serverKeys);
        using var client = new CurveClientMechanism(SocketType.Dealer, [], CurveKeyPair.Generate(), serverKeys.PublicKey);
        Assert.Equal(HandshakeStep.Authenticate, UntilAuthentication(client, server));
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(HandshakeStep.Failed, server.Authenticated(new AuthenticationResult(400), output));
        Assert.Equal("040A054552524F5203343030", Convert.ToHexString(output.WrittenSpan));
        Assert.Equal(HandshakeStep.Failed, Receive(client, output.WrittenSpan.ToArray(), new ArrayBufferWriter<byte>()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(199)]
    public void A_HELLO_of_the_wrong_length_is_refused(int length)
    {
        using var server = new CurveServerMechanism(SocketType.Router, [], CurveKeyPair.Generate());
        var frame = new byte[Command.FrameSize(5, length)];
        Command.WriteFrame(frame, "HELLO"u8, new byte[length]);
        Assert.Equal(HandshakeStep.Failed, Receive(server, frame, new ArrayBufferWriter<byte>()));
    }

    [Theory]
    [InlineData("864FD26FB559F75B", "HelloWorld")]
    [InlineData("FFFFFFFF", "%nSc0")]
    [InlineData("", "")]
    public void Z85_is_as_specified(string hex, string text)
    {
        Assert.Equal(text, Z85.Encode(Convert.FromHexString(hex)));
        Assert.True(Z85.TryDecode(text, out var bytes));
        Assert.Equal(hex, Convert.ToHexString(bytes));
    }

    [Theory]
    [InlineData("%nSc1")]
    [InlineData("#####")]
    [InlineData("Hello~")]
    [InlineData("abcd")]
    [InlineData("abc~e")]
    public void What_is_no_Z85_is_refused(string text) => Assert.False(Z85.TryDecode(text, out _));

    private static CurveClientMechanism RecordedClient()
    {
        var keys = Vector.GetProperty("keys");
        var shortTerm = Vector.GetProperty("clientShortTerm");
        return new CurveClientMechanism(
            SocketType.Req, [], new CurveKeyPair(Key(keys, "client", "public"), Key(keys, "client", "secret")), Key(keys, "server", "public"),
            new CurveKeyPair(Convert.FromHexString(shortTerm.GetProperty("public").GetString()!), Convert.FromHexString(shortTerm.GetProperty("secret").GetString()!)));

        static byte[] Key(JsonElement keys, string side, string half) => Convert.FromHexString(keys.GetProperty(side).GetProperty(half).GetProperty("hex").GetString()!);
    }

    private static byte[] Unit(string direction, int index) => Convert.FromHexString(Vector.GetProperty(direction)[index].GetString()!);

    private static (Mechanism Client, Mechanism Server) ShakeHands(CurveKeyPair? clientKeys = null)
    {
        var serverKeys = CurveKeyPair.Generate();
        var server = new CurveServerMechanism(SocketType.Router, [], serverKeys);
        var client = new CurveClientMechanism(SocketType.Dealer, [], clientKeys ?? CurveKeyPair.Generate(), serverKeys.PublicKey);
        Assert.Equal(HandshakeStep.Authenticate, UntilAuthentication(client, server));
        var ready = new ArrayBufferWriter<byte>();
        Assert.Equal(HandshakeStep.Done, server.Authenticated(new AuthenticationResult(200), ready));
        Assert.Equal(HandshakeStep.Done, Receive(client, ready.WrittenSpan.ToArray(), new ArrayBufferWriter<byte>()));
        return (client, server);
    }

    private static HandshakeStep UntilAuthentication(CurveClientMechanism client, CurveServerMechanism server)
    {
        var (fromClient, fromServer) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
        client.Start(fromClient);
        Assert.Equal(HandshakeStep.Continue, Receive(server, fromClient.WrittenSpan.ToArray(), fromServer));
        fromClient.Clear();
        Assert.Equal(HandshakeStep.Continue, Receive(client, fromServer.WrittenSpan.ToArray(), fromClient));
        return Receive(server, fromClient.WrittenSpan.ToArray(), fromServer);
    }

    private static HandshakeStep Receive(Mechanism mechanism, byte[] frame, IBufferWriter<byte> output)
    {
        Assert.Equal(OperationStatus.Done, FrameHeader.TryParse(frame, long.MaxValue, out var header, out _));
        Assert.Equal(ProtocolError.None, Command.TryParse(frame.AsSpan(header.Size), out var command));
        return mechanism.Receive(command, output, out _, out _);
    }

    private static byte[] Seal(FrameProtection protection, FrameFlags flags, ReadOnlySpan<byte> body)
    {
        var box = new byte[body.Length + protection.Overhead];
        protection.Seal(flags, body, box);
        return box;
    }

    private static ProtocolError Open(FrameProtection protection, byte[] frame)
    {
        FrameHeader.TryParse(frame, long.MaxValue, out var header, out _);
        return protection.TryOpen(frame.AsSpan(header.Size), out _, out _);
    }

    private static void AssertOpens(FrameProtection protection, byte[] frame, FrameFlags expected, string text)
    {
        FrameHeader.TryParse(frame, long.MaxValue, out var header, out _);
        Assert.Equal(ProtocolError.None, protection.TryOpen(frame.AsSpan(header.Size), out var flags, out var plaintext));
        Assert.Equal((expected, text), (flags, Encoding.UTF8.GetString(plaintext)));
    }
}
