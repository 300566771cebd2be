using FsCheck;
using FsCheck.Fluent;
using Gateway.Tests.TestSupport;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Wire;

public class FrameDecoderTests
{
    private static readonly DecoderLimits Small = new(40, 5, 30, 10);

    [Fact]
    public void The_same_bytes_give_the_same_result_however_they_are_chopped()
    {
        var cases = Gen.Zip(Units().ArrayOf().Resize(12), Gen.Choose(1, 40).ArrayOf().Resize(30)).ToArbitrary();
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(3_000), Prop.ForAll(cases, @case =>
        {
            var bytes = ZmtpBytes.Concat(@case.Item1);
            foreach (var limits in (DecoderLimits[])[DecoderRun.Generous, Small])
            {
                var whole = DecoderRun.Of([bytes], limits);
                foreach (var chunks in (IEnumerable<byte[]>[])[Chop(bytes, @case.Item2), bytes.Chunk(1)])
                {
                    var chopped = DecoderRun.Of(chunks, limits);
                    Assert.Equal(whole.Found, chopped.Found);
                    if (!whole.Failed) Assert.Equal(whole.Rest, chopped.Rest);
                }
            }
        }));
    }

    [Fact]
    public void Any_bytes_end_in_a_result_and_never_in_an_exception() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(3_000), Prop.ForAll<byte[]>(bytes => _ = DecoderRun.Of([bytes ?? []], Small).Found));

    [Fact]
    public void Frames_and_commands_are_found_at_every_split()
    {
        var bytes = ZmtpBytes.Concat(
            ZmtpBytes.Frame([], more: true), ZmtpBytes.Ping(3, "c"), ZmtpBytes.Frame(new byte[300], more: true), ZmtpBytes.Frame([1, 2]), ZmtpBytes.Frame([]));
        string[] expected = ["more ", "command 0450494E47000363", $"more {new string('0', 600)}", "last 0102", "last "];
        for (var i = 0; i <= bytes.Length; i++)
        {
            var run = DecoderRun.Of([bytes[..i], bytes[i..]]);
            Assert.Equal(expected, run.Found);
            Assert.False(run.IsInsideMessage);
        }
    }

    [Fact]
    public void Every_truncation_but_those_between_messages_is_noticed()
    {
        var bytes = ZmtpBytes.Concat(ZmtpBytes.Message("a", "bc"), ZmtpBytes.Message("d"));
        int[] ends = [0, 7, 10];
        for (var i = 0; i <= bytes.Length; i++)
        {
            var run = DecoderRun.Of([bytes[..i]]);
            Assert.Equal(ends.Contains(i), run.Rest == " between ");
        }
    }

    [Fact]
    public void Limits_hold_for_the_message_and_not_only_for_its_frames()
    {
        Assert.Equal(ProtocolError.FrameTooLarge.ToString(), DecoderRun.Of([ZmtpBytes.Message(new byte[30], new byte[11])], Small).Found[^1]);
        Assert.Equal(2, DecoderRun.Of([ZmtpBytes.Message(new byte[30], new byte[10])], Small).Found.Count);
        Assert.Equal(ProtocolError.TooManyFrames.ToString(), DecoderRun.Of([ZmtpBytes.Message("1", "2", "3", "4", "5", "6")], Small).Found[^1]);
        Assert.Equal(10, DecoderRun.Of([ZmtpBytes.Message("1", "2", "3", "4", "5"), ZmtpBytes.Message("1", "2", "3", "4", "5")], Small).Found.Count);
        Assert.Equal(ProtocolError.CommandTooLarge.ToString(), DecoderRun.Of([ZmtpBytes.Command("LONG", new byte[26])], Small).Found[^1]);
        Assert.Equal(ProtocolError.CommandTooLarge.ToString(), DecoderRun.Of([ZmtpBytes.LongHeader(4, 1UL << 40)], Small).Found[^1]);
    }

    [Fact]
    public void A_header_that_announces_2_to_the_62_bytes_costs_less_than_a_kilobyte()
    {
        var header = ZmtpBytes.LongHeader(0, 1UL << 62);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var decoder = new FrameDecoder(DecoderRun.Generous);
        var result = decoder.Next(header, out var consumed, out var part, out _);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024);
        Assert.Equal((DecodeResult.Part, 9, 1L << 62, true, false), (result, consumed, part.FrameLength, part.IsFirst, part.IsLast));
    }

    [Fact]
    public void Large_frames_come_in_pieces_and_small_ones_whole()
    {
        var decoder = new FrameDecoder(Small);
        var large = ZmtpBytes.Frame(new byte[11]);
        Assert.Equal(DecodeResult.Part, decoder.Next(large.AsSpan(0, 5), out var consumed, out var part, out _));
        Assert.Equal((5, 3, true, false), (consumed, part.Bytes.Length, part.IsFirst, part.IsLast));
        Assert.Equal(DecodeResult.Part, decoder.Next(large.AsSpan(5), out _, out part, out _));
        Assert.Equal((8, false, true), (part.Bytes.Length, part.IsFirst, part.IsLast));
        Assert.Equal(DecodeResult.NeedMoreData, decoder.Next(ZmtpBytes.Frame(new byte[10]).AsSpan(0, 11), out consumed, out _, out _));
        Assert.Equal((0, 12), (consumed, decoder.BytesWanted));
    }

    private static Gen<byte[]> Units() => Gen.OneOf(
        Gen.Choose(0, 40).Select(length => ZmtpBytes.Frame(new byte[length], more: length % 3 > 0)),
        Gen.Choose(0, 60).Select(length => ZmtpBytes.LongHeader((byte)(length & 5), (ulong)length)),
        Gen.Choose(0, 20).Select(length => ZmtpBytes.Command("PING", new byte[length])),
        Gen.Choose(0, 255).Select(octet => (byte)octet).ArrayOf().Resize(8));

    private static IEnumerable<byte[]> Chop(byte[] bytes, int[] sizes)
    {
        for (var (at, i) = (0, 0); at < bytes.Length; i++)
        {
            var size = Math.Min(sizes.Length == 0 ? 7 : sizes[i % sizes.Length], bytes.Length - at);
            yield return bytes[at..(at + size)];
            at += size;
        }
    }
}
