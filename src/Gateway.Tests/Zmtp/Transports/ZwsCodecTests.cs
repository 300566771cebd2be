using Gateway.Tests.TestSupport;
using Zmtp.Transports.WebSockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Transports;

/// <summary>WebSocket frames to ZMTP frames and back, at every split and for any bytes.</summary>
public class ZwsCodecTests
{
    private static readonly byte[] Traffic = ZmtpBytes.Concat(
        ZmtpBytes.Ready("PULL"), ZmtpBytes.Frame([], more: true), ZmtpBytes.Frame([1, 2, 3], more: true), ZmtpBytes.Frame(new byte[124]), ZmtpBytes.Frame(new byte[125]),
        ZmtpBytes.Frame(new byte[255], more: true), ZmtpBytes.Frame(new byte[256]), ZmtpBytes.Frame([.. Enumerable.Range(0, 700).Select(i => (byte)i)]));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_written_is_read_the_same_however_the_bytes_are_split(bool fromClient)
    {
        for (var step = 1; step < 300; step += step < 20 ? 1 : 37)
        {
            var wire = Write(new ZwsWriter(fromClient), Traffic, step);
            Assert.Equal(Convert.ToHexString(Traffic), Convert.ToHexString(Read(wire, fromClient, 311 - step, out _)));
        }
    }

    [Fact]
    public void A_large_frame_is_one_unfragmented_message()
    {
        var wire = Write(new ZwsWriter(masks: false), ZmtpBytes.Frame(new byte[70_000]), 1_000);
        Assert.Equal("827F000000000001117100", Convert.ToHexString(wire, 0, 11));
        Assert.Equal(10 + 70_001, wire.Length);
    }

    [Fact]
    public void PING_and_PONG_become_the_transports_own()
    {
        var writer = new ZwsWriter(masks: false) { PongPayload = [7, 8] };
        Assert.Equal("8900" + "8A020708" + "820400010203", Convert.ToHexString(Write(writer, ZmtpBytes.Concat(ZmtpBytes.Ping(5), ZmtpBytes.Pong(), ZmtpBytes.Frame([1, 2, 3])), 1)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public void A_fragmented_message_is_put_together_with_pings_in_between(int step)
    {
        var wire = ZmtpBytes.Concat(
            ZwsBytes.WebSocket(2, [], mask: true, fin: false), ZwsBytes.WebSocket(0, [1, 10], mask: true, fin: false), ZwsBytes.WebSocket(9, [9], mask: true),
            ZwsBytes.WebSocket(0, new byte[300], mask: true), ZwsBytes.WebSocket(2, [0], mask: true));
        var expected = ZmtpBytes.Concat(ZmtpBytes.Frame([10, .. new byte[300]], more: true), ZmtpBytes.Frame([]));
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(Read(wire, peerMasks: true, step, out var pings)));
        Assert.Equal(1, pings);
    }

    public static TheoryData<string, byte[], ProtocolError> Faults() => new()
    {
        { "text", ZwsBytes.WebSocket(1, [0, 1], mask: true), ProtocolError.WebSocketViolation },
        { "not masked", ZwsBytes.WebSocket(2, [0, 1], mask: false), ProtocolError.WebSocketViolation },
        { "empty", ZwsBytes.WebSocket(2, [], mask: true), ProtocolError.WebSocketViolation },
        { "empty fragments", ZmtpBytes.Concat(ZwsBytes.WebSocket(2, [], mask: true, fin: false), ZwsBytes.WebSocket(0, [], mask: true)), ProtocolError.WebSocketViolation },
        { "stray continuation", ZwsBytes.WebSocket(0, [0], mask: true), ProtocolError.WebSocketViolation },
        { "message inside", ZmtpBytes.Concat(ZwsBytes.WebSocket(2, [0], mask: true, fin: false), ZwsBytes.WebSocket(2, [0], mask: true)), ProtocolError.WebSocketViolation },
        { "reserved opcode", ZwsBytes.WebSocket(3, [0], mask: true), ProtocolError.WebSocketViolation },
        { "reserved bit", [0xC2, 0x81, 0, 0, 0, 0, 0], ProtocolError.WebSocketViolation },
        { "fragmented ping", ZwsBytes.WebSocket(9, [], mask: true, fin: false), ProtocolError.WebSocketViolation },
        { "long ping", ZwsBytes.WebSocket(9, new byte[126], mask: true), ProtocolError.WebSocketViolation },
        { "16-bit length of 125", [0x82, 0xFE, 0, 125], ProtocolError.WebSocketViolation },
        { "64-bit length of 65535", [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], ProtocolError.WebSocketViolation },
        { "length of 2^63", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], ProtocolError.WebSocketViolation },
        { "flags 03", ZwsBytes.Frame(3, [1], mask: true), ProtocolError.ReservedFlag },
        { "flags FE", ZwsBytes.Frame(0xFE, [1], mask: true), ProtocolError.ReservedFlag },
        { "fragments beyond the limit", ZmtpBytes.Concat(ZwsBytes.WebSocket(2, new byte[600], mask: true, fin: false), ZwsBytes.WebSocket(0, new byte[600], mask: true)), ProtocolError.FrameTooLarge },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_breaks_the_rules_is_refused_at_every_split(string what, byte[] wire, ProtocolError error)
    {
        Assert.NotEmpty(what);
        for (var step = 1; step <= wire.Length; step++)
        {
            using var reader = new ZwsReader(peerMasks: true, commands: true, 1_000);
            var found = ZwsRead.More;
            for (var at = 0; at < wire.Length && found != ZwsRead.Invalid; at += step) found = Feed(reader, wire.AsSpan(at, Math.Min(step, wire.Length - at)).ToArray(), new MemoryStream(), out _);
            Assert.Equal((ZwsRead.Invalid, error), (found, reader.Error));
            Assert.NotEmpty(reader.Fault);
        }
    }

    [Fact]
    public void Without_a_mechanism_there_are_no_commands()
    {
        using var reader = new ZwsReader(peerMasks: true, commands: false, 1_000);
        Assert.Equal(ZwsRead.Invalid, Feed(reader, ZwsBytes.Ready("SUB", mask: true), new MemoryStream(), out _));
        Assert.Equal(ProtocolError.UnexpectedCommand, reader.Error);
    }

    [Fact]
    public void Any_bytes_end_in_frames_or_in_a_fault_and_never_in_an_exception()
    {
        var random = new Random(20261121);
        var valid = ZmtpBytes.Concat(
            ZwsBytes.Ready("SUB", mask: true), ZwsBytes.Message(true, "a", "b"), ZwsBytes.WebSocket(9, [1], mask: true), ZwsBytes.WebSocket(2, [0, 1], mask: true, fin: false), ZwsBytes.WebSocket(0, [2], mask: true));
        for (var round = 0; round < 50_000; round++)
        {
            var bytes = round % 2 == 0 ? valid.ToArray() : new byte[random.Next(1, 60)];
            if (round % 2 == 1) random.NextBytes(bytes);
            for (var i = random.Next(4); i >= 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            using var reader = new ZwsReader(peerMasks: true, commands: true, 100);
            var found = ZwsRead.More;
            using var output = new MemoryStream();
            for (var at = 0; at < bytes.Length && found != ZwsRead.Invalid;)
            {
                var count = Math.Min(random.Next(1, 20), bytes.Length - at);
                found = Feed(reader, bytes.AsSpan(at, count).ToArray(), output, out _);
                at += count;
            }

            // No more comes out than a ZMTP header for each frame and what went in.
            Assert.InRange(output.Length, 0, bytes.Length * 5);
        }
    }

    private static byte[] Write(ZwsWriter writer, byte[] zmtp, int step)
    {
        using var wire = new MemoryStream();
        var output = new byte[ZwsWriter.MaxOverhead + step];
        for (var at = 0; at < zmtp.Length;)
        {
            at += writer.Translate(zmtp.AsSpan(at, Math.Min(step, zmtp.Length - at)), output, out var written);
            wire.Write(output.AsSpan(0, written));
        }

        Assert.True(writer.IsBetweenMessages);
        return wire.ToArray();
    }

    private static byte[] Read(byte[] wire, bool peerMasks, int step, out int pings)
    {
        using var reader = new ZwsReader(peerMasks, commands: true, 1_000);
        using var output = new MemoryStream();
        pings = 0;
        for (var at = 0; at < wire.Length; at += step)
        {
            Assert.Equal(ZwsRead.More, Feed(reader, wire.AsSpan(at, Math.Min(step, wire.Length - at)).ToArray(), output, out var found));
            pings += found;
        }

        return output.ToArray();
    }

    /// <summary>Feeds one piece through an output of seven bytes, which is less than any header with its body.</summary>
    private static ZwsRead Feed(ZwsReader reader, byte[] piece, MemoryStream output, out int pings)
    {
        pings = 0;
        Span<byte> room = stackalloc byte[7];
        Span<byte> rest = piece;
        while (true)
        {
            var found = reader.Next(rest, room, out var consumed, out var written);
            output.Write(room[..written]);
            rest = rest[consumed..];
            if (found == ZwsRead.Ping) pings++;
            if (found == ZwsRead.Invalid || (found == ZwsRead.More && written == 0)) return found;
        }
    }
}
