using System.Buffers;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Wire;

public class FrameHeaderTests
{
    [Theory]
    [InlineData("0005", (byte)FrameFlags.None, 5)]
    [InlineData("01FF", (byte)FrameFlags.More, 255)]
    [InlineData("0419", (byte)FrameFlags.Command, 25)] // READY of a PUB socket
    [InlineData("020000000000000000", (byte)FrameFlags.Long, 0)] // The long form is legal for every length.
    [InlineData("030000000000010000", (byte)(FrameFlags.Long | FrameFlags.More), 65_536)]
    [InlineData("060000000000000104", (byte)(FrameFlags.Long | FrameFlags.Command), 260)]
    [InlineData("027FFFFFFFFFFFFFFF", (byte)FrameFlags.Long, long.MaxValue)]
    public void Reads_a_header_when_all_of_it_is_there_and_not_before(string hex, byte flags, long length)
    {
        var bytes = Convert.FromHexString(hex);
        for (var i = 0; i < bytes.Length; i++)
            Assert.Equal(OperationStatus.NeedMoreData, FrameHeader.TryParse(bytes.AsSpan(0, i), long.MaxValue, out _, out _));
        Assert.Equal(OperationStatus.Done, FrameHeader.TryParse([.. bytes, 9], long.MaxValue, out var header, out _));
        Assert.Equal(new FrameHeader((FrameFlags)flags, length), header);
        Assert.Equal(bytes.Length, header.Size);
    }

    [Theory]
    [InlineData("08", ProtocolError.ReservedFlag)]
    [InlineData("80", ProtocolError.ReservedFlag)]
    [InlineData("47", ProtocolError.ReservedFlag)] // "GET …"
    [InlineData("05", ProtocolError.CommandWithMore)]
    [InlineData("07", ProtocolError.CommandWithMore)]
    public void Refuses_flags_at_their_first_octet(string hex, ProtocolError expected)
    {
        Assert.Equal(OperationStatus.InvalidData, FrameHeader.TryParse(Convert.FromHexString(hex), long.MaxValue, out _, out var error));
        Assert.Equal(expected, error);
    }

    [Theory]
    [Trait("Proves", "CVE-2019-6250")]
    [InlineData("028000000000000000", long.MaxValue)]
    [InlineData("02FFFFFFFFFFFFFFFF", long.MaxValue)]
    [InlineData("027FFFFFFFFFFFFFFF", long.MaxValue - 1)]
    [InlineData("020000000080000000", int.MaxValue)]
    [InlineData("0006", 5)]
    public void Refuses_a_length_above_the_limit(string hex, long limit)
    {
        Assert.Equal(OperationStatus.InvalidData, FrameHeader.TryParse(Convert.FromHexString(hex), limit, out _, out var error));
        Assert.Equal(ProtocolError.FrameTooLarge, error);
    }

    [Theory]
    [InlineData(0, false, false, "0000")]
    [InlineData(255, true, false, "01FF")]
    [InlineData(256, false, false, "020000000000000100")]
    [InlineData(256, false, true, "060000000000000100")]
    [InlineData(1L << 62, true, false, "034000000000000000")]
    public void Writes_the_short_form_up_to_255_bytes(long length, bool more, bool command, string hex)
    {
        var output = new byte[FrameHeader.MaxSize];
        var count = FrameHeader.For(length, more, command).Write(output);
        Assert.Equal(hex, Convert.ToHexString(output, 0, count));
    }
}
