using Gateway.Tests.TestSupport;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Wire;

public class MetadataTests
{
    private static readonly byte[] Three =
        ZmtpBytes.Concat(ZmtpBytes.Property("Socket-Type", "REQ"u8.ToArray()), ZmtpBytes.Property("Identity", []), ZmtpBytes.Property("X-a.b+c_1", [0, 255]));

    [Fact]
    public void Reads_properties_whatever_the_case_of_their_names()
    {
        Assert.Equal(ProtocolError.None, Metadata.TryParse(Three, out var metadata));
        Assert.Equal("REQ"u8.ToArray(), metadata["socket-type"]!);
        Assert.Equal([], metadata["IDENTITY"]!);
        Assert.Equal([0, 255], metadata["X-a.b+c_1"]!);
        Assert.Null(metadata["Resource"]);
        Assert.Equal(3, metadata.Names.Count);
    }

    [Fact]
    public void Refuses_every_truncation_but_those_between_properties()
    {
        int[] ends = [0, 1 + 11 + 4 + 3, 1 + 11 + 4 + 3 + 1 + 8 + 4, Three.Length];
        for (var i = 0; i <= Three.Length; i++)
        {
            var expected = ends.Contains(i) ? ProtocolError.None : ProtocolError.MalformedMetadata;
            Assert.Equal(expected, Metadata.TryParse(Three.AsSpan(0, i), out _));
        }
    }

    [Theory]
    [InlineData("00", "an empty name")]
    [InlineData("0120" + "00000000", "a space in a name")]
    [InlineData("0100" + "00000000", "a zero in a name")]
    [InlineData("0141" + "00000001", "a value that is not there")]
    [InlineData("0141" + "80000000", "a length of 2^31")]
    [InlineData("0141" + "FFFFFFFF", "a length of 2^32 - 1")]
    [InlineData("0141" + "00000000" + "01", "one octet left over")]
    public void Refuses_malformed_properties(string hex, string what) =>
        Assert.True(Metadata.TryParse(Convert.FromHexString(hex), out _) == ProtocolError.MalformedMetadata, what);

    [Theory]
    [InlineData("Socket-Type", "SOCKET-TYPE", ProtocolError.MalformedMetadata)]
    [InlineData("Identity", "identity", ProtocolError.MalformedMetadata)]
    [InlineData("X-One", "x-one", ProtocolError.None)]
    public void Refuses_a_repeated_name_only_where_it_decides_something(string first, string second, ProtocolError expected) =>
        Assert.Equal(expected, Metadata.TryParse([.. ZmtpBytes.Property(first, [1]), .. ZmtpBytes.Property(second, [2])], out _));

    [Theory]
    [InlineData(64, ProtocolError.None)]
    [InlineData(65, ProtocolError.MalformedMetadata)]
    public void Takes_at_most_64_properties(int count, ProtocolError expected)
    {
        var bytes = ZmtpBytes.Concat([.. Enumerable.Range(0, count).Select(i => ZmtpBytes.Property($"X-{i}", []))]);
        Assert.Equal(expected, Metadata.TryParse(bytes, out _));
    }

    [Fact]
    public void Writes_what_it_reads()
    {
        var output = new byte[Metadata.PropertySize("Identity", 3)];
        Assert.Equal(output.Length, Metadata.WriteProperty(output, "Identity", [7, 8, 9]));
        Assert.Equal(ZmtpBytes.Property("Identity", [7, 8, 9]), output);
    }
}
