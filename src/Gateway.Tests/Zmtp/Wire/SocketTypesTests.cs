using System.Text;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Wire;

public class SocketTypesTests
{
    /// <summary>37/ZMTP 3.1, "The Socket-Type Property", as the text has it.</summary>
    private static readonly string[] Legal =
    [
        "REQ REP", "REQ ROUTER", "REP REQ", "REP DEALER", "DEALER REP", "DEALER DEALER", "DEALER ROUTER", "ROUTER REQ", "ROUTER DEALER", "ROUTER ROUTER",
        "PUB SUB", "PUB XSUB", "XPUB SUB", "XPUB XSUB", "SUB PUB", "SUB XPUB", "XSUB PUB", "XSUB XPUB", "PUSH PULL", "PULL PUSH", "PAIR PAIR",
        "CLIENT SERVER", "SERVER CLIENT", "RADIO DISH", "DISH RADIO", "GATHER SCATTER", "SCATTER GATHER", "PEER PEER", "CHANNEL CHANNEL",
    ];

    private static readonly SocketType[] All = [.. Enum.GetValues<SocketType>().Where(type => type is not (SocketType.None or SocketType.Stream))];

    [Fact]
    public void Only_the_pairs_of_the_specification_may_talk()
    {
        var pairs = All.SelectMany(a => All.Where(b => a.Accepts(b)).Select(b => $"{a.Name()} {b.Name()}"));
        Assert.Equal(Legal.Order(StringComparer.Ordinal), pairs.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_pair_is_legal_from_both_sides() => Assert.All(All, a => Assert.All(All, b => Assert.Equal(a.Accepts(b), b.Accepts(a))));

    [Theory]
    [InlineData("pub")]
    [InlineData("PUB ")]
    [InlineData("")]
    [InlineData("STREAM")]
    [InlineData("NONE")]
    public void Names_are_exact(string name) => Assert.Equal(SocketType.None, SocketTypes.Parse(Encoding.ASCII.GetBytes(name)));

    [Fact]
    public void Every_name_is_read_back() => Assert.All(All, type => Assert.Equal(type, SocketTypes.Parse(Encoding.ASCII.GetBytes(type.Name()))));
}
