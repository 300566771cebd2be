using System.Buffers;
using Gateway.Tests.TestSupport;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Wire;

public class GreetingTests
{
    [Theory]
    [InlineData(3, 0)]
    [InlineData(3, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 0)]
    public void Takes_version_3_and_above_once_64_bytes_are_there(byte major, byte minor)
    {
        var bytes = ZmtpBytes.Greeting(minor, "NULL", major);
        for (var i = 0; i < Greeting.Size; i++) Assert.Equal(OperationStatus.NeedMoreData, Greeting.TryParse(bytes.AsSpan(0, i), "NULL", out _, out _));
        Assert.Equal(OperationStatus.Done, Greeting.TryParse([.. bytes, 4, 25], "NULL", out var greeting, out _));
        Assert.Equal(new Greeting(major, minor, "NULL", false), greeting);
    }

    [Fact]
    public void Does_not_look_at_padding_and_filler()
    {
        var bytes = ZmtpBytes.Greeting();
        bytes.AsSpan(1, 8).Fill(0xAA);
        bytes.AsSpan(33).Fill(0xBB);
        bytes[32] = 1;
        Assert.Equal(OperationStatus.Done, Greeting.TryParse(bytes, "NULL", out var greeting, out _));
        Assert.True(greeting.AsServer);
    }

    [Theory]
    [InlineData(0, (byte)'G', ProtocolError.NotZmtp)]
    [InlineData(0, 0x16, ProtocolError.NotZmtp)]
    [InlineData(0, 0x01, ProtocolError.NotZmtp)] // ZMTP 1.0
    [InlineData(9, 0x00, ProtocolError.UnsupportedVersion)]
    [InlineData(9, 0x01, ProtocolError.UnsupportedVersion)]
    [InlineData(10, 0x01, ProtocolError.UnsupportedVersion)] // ZMTP 2.0
    [InlineData(10, 0x02, ProtocolError.UnsupportedVersion)]
    [InlineData(12, (byte)'C', ProtocolError.MechanismMismatch)]
    [InlineData(16, (byte)'L', ProtocolError.MechanismMismatch)]
    [InlineData(31, 0x01, ProtocolError.MechanismMismatch)]
    public void Decides_at_the_octet_that_is_wrong(int offset, byte value, ProtocolError expected)
    {
        var bytes = ZmtpBytes.Greeting();
        bytes[offset] = value;
        for (var i = 0; i <= Greeting.Size; i++)
        {
            var status = Greeting.TryParse(bytes.AsSpan(0, i), "NULL", out _, out var error);
            Assert.Equal(i > offset ? (OperationStatus.InvalidData, expected) : (OperationStatus.NeedMoreData, ProtocolError.None), (status, error));
        }
    }

    [Theory]
    [InlineData("NULL", false)]
    [InlineData("CURVE", true)]
    [InlineData("A-20-CHARACTER-NAME.", false)]
    public void Writes_what_it_reads(string mechanism, bool asServer)
    {
        var bytes = new byte[Greeting.Size];
        bytes.AsSpan().Fill(0xEE);
        Greeting.Write(bytes, mechanism, asServer);
        Assert.Equal(OperationStatus.Done, Greeting.TryParse(bytes, mechanism, out var greeting, out _));
        Assert.Equal(new Greeting(3, 1, mechanism, asServer), greeting);
        Assert.Equal(ZmtpBytes.Greeting(1, mechanism)[9..32], bytes[9..32]);
    }

    [Theory]
    [InlineData("CURVE", "CURVE")]
    [InlineData("BAD\u0007NAME", "")]
    public void Tells_the_other_mechanism_only_if_it_can_be_printed(string announced, string expected) =>
        Assert.Equal(expected, Greeting.AnnouncedMechanism(ZmtpBytes.Greeting(1, announced)));
}
