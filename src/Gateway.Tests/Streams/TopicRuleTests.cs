using System.Text;
using Gateway.Configuration;
using Gateway.Streams;

namespace Gateway.Tests.Streams;

public class TopicRuleTests
{
    [Theory]
    [InlineData("EURUSD|1.08", "EURUSD", "1.08")]
    [InlineData("EURUSD:1.08", "", "EURUSD:1.08")] // One frame has no topic of its own.
    [InlineData("hashblock|body|0007", "hashblock", "body")] // As bitcoind publishes: topic, body, counter.
    [InlineData("topic|", "topic", "")]
    [InlineData("", "", "")]
    public void Without_a_rule_a_topic_is_the_first_of_several_frames(string message, string topic, string body) =>
        Check(new TopicOptions(), message, topic, body);

    [Theory]
    [InlineData(0, "a|b", "a", "b")]
    [InlineData(0, "a", "a", "")]
    [InlineData(1, "a|b", "b", "a")]
    [InlineData(1, "a|b|c", "b", "a")]
    [InlineData(2, "a|b", "", "a")] // No such frame.
    public void Frame_names_the_topic_by_its_index(int frame, string message, string topic, string body) =>
        Check(new TopicOptions { Frame = frame }, message, topic, body);

    [Theory]
    [InlineData("a", "", "a")]
    [InlineData("a|b", "", "a")]
    public void None_leaves_every_frame_to_the_body(string message, string topic, string body) =>
        Check(new TopicOptions { None = true }, message, topic, body);

    [Theory]
    [InlineData(":", "EURUSD:1.08:x", "EURUSD", "1.08:x")]
    [InlineData(": ", "temperature: 21", "temperature", "21")]
    [InlineData(":", ":1", "", "1")]
    [InlineData(":", "a:", "a", "")]
    [InlineData(":", "nothing", "", "nothing")]
    [InlineData(":", "a:1|more", "a", "1")]
    public void Delimiter_ends_the_topic_inside_the_first_frame(string delimiter, string message, string topic, string body) =>
        Check(new TopicOptions { Delimiter = delimiter }, message, topic, body);

    [Theory]
    [InlineData(2, "a|b|c", "c")]
    [InlineData(-1, "a|b|c", "c")]
    [InlineData(-3, "a|b|c", "a")]
    [InlineData(5, "a|b|c", "b")] // No such frame: as without the option.
    [InlineData(-4, "a|b|c", "b")]
    public void Body_names_the_frame_that_a_plain_client_gets(int bodyFrame, string message, string body) =>
        Check(new TopicOptions { Body = bodyFrame }, message, "a", body);

    private static void Check(TopicOptions options, string message, string expectedTopic, string expectedBody)
    {
        using var assembly = new AssembledMessage(message.Split('|'));
        new TopicRule(options).Apply(assembly.Message, out var topic, out var body);
        Assert.Equal(expectedTopic, Encoding.UTF8.GetString(topic.Span));
        Assert.Equal(expectedBody, Encoding.UTF8.GetString(body.Span));
    }

    private sealed class AssembledMessage : IDisposable
    {
        private readonly MessageAssembly _earlier = new(maxMessageBytes: 1024);
        private readonly byte[] _last;

        public AssembledMessage(string[] frames)
        {
            foreach (var frame in frames.SkipLast(1)) _earlier.Add(Encoding.UTF8.GetBytes(frame), endsFrame: true);
            _last = Encoding.UTF8.GetBytes(frames[^1]);
        }

        public StreamMessage Message => new(_earlier, new FrameBytes(_last));

        public void Dispose() => _earlier.Dispose();
    }
}
