using Gateway.WebSockets;

namespace Gateway.Tests.WebSockets;

public class WebSocketFrameParserTests
{
    private static readonly WebSocketLimits FromClient = new(MaxMessageBytes: 1000, MaxFragments: 4);
    private static readonly WebSocketLimits FromServer = FromClient with { PeerMasks = false };

    // The examples of RFC 6455, 5.7.
    [Theory]
    [InlineData("810548656c6c6f", false, "Text:48656C6C6F")]
    [InlineData("818537fa213d7f9f4d5158", true, "Text:48656C6C6F")]
    [InlineData("010348656c80026c6f", false, "Text:48656C6C6F")]
    [InlineData("890548656c6c6f", false, "Ping:48656C6C6F")]
    [InlineData("8a8537fa213d7f9f4d5158", true, "Pong:48656C6C6F")]
    public void Reads_the_examples_of_the_RFC_in_every_chopping(string hex, bool masked, string expected)
    {
        var bytes = Convert.FromHexString(hex);
        for (var first = 0; first <= bytes.Length; first++)
            for (var second = first; second <= bytes.Length; second++)
                Assert.Equal([expected], Transcript.Of(bytes, masked ? FromClient : FromServer, first, second).Events);
    }

    [Theory]
    [InlineData("c180", nameof(WebSocketFault.ReservedBit))]
    [InlineData("a180", nameof(WebSocketFault.ReservedBit))]
    [InlineData("9180", nameof(WebSocketFault.ReservedBit))]
    [InlineData("83", nameof(WebSocketFault.ReservedOpcode))]
    [InlineData("8b", nameof(WebSocketFault.ReservedOpcode))]
    [InlineData("8100", nameof(WebSocketFault.NotMasked))]
    [InlineData("09", nameof(WebSocketFault.FragmentedControl))]
    [InlineData("89fe", nameof(WebSocketFault.LongControl))]
    [InlineData("82fe0005", nameof(WebSocketFault.LengthNotMinimal))]
    [InlineData("82ff000000000000ffff", nameof(WebSocketFault.LengthNotMinimal))]
    [InlineData("82ff8000000000000000", nameof(WebSocketFault.LengthTopBit))]
    [InlineData("82ff7fffffffffffffff", nameof(WebSocketFault.MessageTooBig))]
    [InlineData("82ff0000000100000000", nameof(WebSocketFault.MessageTooBig))]
    [InlineData("82fe03e9", nameof(WebSocketFault.MessageTooBig))]
    [InlineData("80", nameof(WebSocketFault.StrayContinuation))]
    [InlineData("018000000000" + "81", nameof(WebSocketFault.MessageInsideMessage))]
    [InlineData("018000000000" + "00fe03e800000000", nameof(WebSocketFault.None))]
    [InlineData("0181000000002a" + "00fe03e8", nameof(WebSocketFault.MessageTooBig))]
    [InlineData("018000000000" + "008000000000" + "008000000000" + "008000000000", nameof(WebSocketFault.None))]
    [InlineData("018000000000" + "008000000000" + "008000000000" + "008000000000" + "0080", nameof(WebSocketFault.TooManyFragments))]
    [InlineData("88810000000003", nameof(WebSocketFault.CloseLength))]
    [InlineData("88820000000003ed", nameof(WebSocketFault.CloseCode))]
    [InlineData("88830000000003e8ff", nameof(WebSocketFault.ReasonNotUtf8))]
    public void Refuses_as_soon_as_the_rule_is_broken_in_every_chopping(string hex, string rule)
    {
        var fault = Enum.Parse<WebSocketFault>(rule);
        var bytes = Convert.FromHexString(hex);
        for (var cut = 0; cut <= bytes.Length; cut++) Assert.Equal(fault, Transcript.Of(bytes, FromClient, cut).Fault);
        Assert.Equal(fault, Transcript.Of(bytes, FromClient, Enumerable.Range(0, bytes.Length)).Fault);
    }

    [Fact]
    public void A_masked_frame_of_a_server_is_refused() =>
        Assert.Equal(WebSocketFault.Masked, Transcript.Of(Convert.FromHexString("8180"), FromServer).Fault);

    [Fact]
    public void Every_bad_close_code_is_refused_and_every_good_one_accepted()
    {
        for (var code = 0; code <= ushort.MaxValue; code++)
        {
            byte[] frame = [0x88, 0x02, (byte)(code >> 8), (byte)code];
            var good = code is 1000 or 1001 or 1002 or 1003 or (>= 1007 and <= 1014) or (>= 3000 and < 5000);
            Assert.Equal(good ? WebSocketFault.None : WebSocketFault.CloseCode, Transcript.Of(frame, FromServer).Fault);
        }
    }

    [Fact]
    public void Nothing_is_said_about_what_follows_a_close() =>
        Assert.Equal(
            ["Close:Normal:"],
            Transcript.Of(Convert.FromHexString("880203e8" + "ffffffff"), FromServer, Enumerable.Range(0, 8)).Events);

    [Fact]
    public void Discarded_messages_are_not_looked_into_but_their_rules_hold()
    {
        var discarding = FromServer with { Data = WebSocketDataPolicy.Discard };
        var notUtf8ThenPing = Convert.FromHexString("0101ff" + "8001ff" + "8900");
        Assert.Equal(["Ping:"], Transcript.Of(notUtf8ThenPing, discarding).Events);
        Assert.Equal(WebSocketFault.MessageTooBig, Transcript.Of(Convert.FromHexString("827e03e9"), discarding).Fault);
        Assert.Equal(WebSocketFault.StrayContinuation, Transcript.Of(Convert.FromHexString("8000"), discarding).Fault);
    }

    [Fact]
    public void Refused_messages_are_refused_at_their_first_byte() =>
        Assert.Equal(
            WebSocketFault.DataRefused,
            Transcript.Of(Convert.FromHexString("8900" + "82"), FromServer with { Data = WebSocketDataPolicy.Refuse }).Fault);
}
