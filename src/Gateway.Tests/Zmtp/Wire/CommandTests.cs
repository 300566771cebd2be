using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp.Security;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Wire;

public class CommandTests
{
    [Theory]
    [InlineData("0450494E470000", "PING", "0000")]
    [InlineData("055245414459", "READY", "")]
    [InlineData("0141FF", "A", "FF")]
    public void Splits_a_body_into_name_and_data(string hex, string name, string data)
    {
        Assert.Equal(ProtocolError.None, Command.TryParse(Convert.FromHexString(hex), out var command));
        Assert.Equal((name, data), (Encoding.ASCII.GetString(command.Name), Convert.ToHexString(command.Data)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("0052")]
    [InlineData("0450494E")]
    [InlineData("FF")]
    public void Refuses_an_empty_body_and_a_name_that_runs_past_the_end(string hex) =>
        Assert.Equal(ProtocolError.MalformedCommand, Command.TryParse(Convert.FromHexString(hex), out _));

    [Theory] // The body of SUBSCRIBE is 10 bytes longer than its topic: 255 and 256 bytes here.
    [InlineData(245)]
    [InlineData(246)]
    [InlineData(4096)]
    public void Writes_a_whole_frame(int topicLength)
    {
        var topic = new string('t', topicLength);
        var output = new byte[Command.FrameSize(9, topicLength)];
        Assert.Equal(output.Length, Command.WriteFrame(output, CommandNames.Subscribe, Encoding.ASCII.GetBytes(topic)));
        Assert.Equal(ZmtpBytes.Subscribe(topic), output);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("03343030", "400")]
    [InlineData("FF343030", "400")] // A length that runs past the end shows what there is.
    [InlineData("0341420A43", "AB?")]
    [InlineData("041B5B316D", "?[1m")]
    public void Prints_an_errors_reason_without_control_characters(string hex, string expected) =>
        Assert.Equal(expected, NullMechanism.ErrorReason(Convert.FromHexString(hex)));
}
