using System.Text;
using Gateway.Configuration;

namespace Gateway.Streams;

/// <summary>Which bytes of a message are its topic, and which its body (the options' rule, ready for use).</summary>
/// <remarks>
/// Without a rule a message of several frames has its topic in frame 0, and a message of one frame has none. A rule that does not fit a
/// message (no such frame, no delimiter in it) leaves the message without a topic and all of its frames as the body.
/// </remarks>
internal sealed class TopicRule
{
    private readonly int? _frame;
    private readonly bool _none;
    private readonly byte[]? _delimiter;
    private readonly int? _body;

    public TopicRule(TopicOptions options)
    {
        _frame = options.Frame;
        _none = options.None == true;
        _delimiter = options.Delimiter is { Length: > 0 } text ? Encoding.UTF8.GetBytes(text) : null;
        _body = options.Body;
    }

    /// <summary>Takes a message apart.</summary>
    /// <param name="topic">The topic; empty where the message has none.</param>
    /// <param name="body">The body frame: what a plain WebSocket client gets.</param>
    public void Apply(in StreamMessage message, out FrameBytes topic, out FrameBytes body)
    {
        if (_delimiter is not null)
        {
            SplitFirstFrame(message, out topic, out body);
            return;
        }

        var topicFrame = _none ? -1 : _frame ?? (message.FrameCount > 1 ? 0 : -1);
        if (topicFrame >= message.FrameCount) topicFrame = -1;
        topic = topicFrame < 0 ? default : message.Frame(topicFrame);
        body = BodyFrame(message, topicFrame);
    }

    private void SplitFirstFrame(in StreamMessage message, out FrameBytes topic, out FrameBytes body)
    {
        var first = message.Frame(0);
        // A topic is looked for where it is short; a frame in several pieces is larger than any topic.
        var at = first.Span.IndexOf(_delimiter);
        topic = at < 0 ? default : first.Slice(0, at);
        var rest = at < 0 ? 0 : at + _delimiter!.Length;
        body = first.Slice(rest, first.Length - rest);
        if (_body is not null) body = BodyFrame(message, topicFrame: -1);
    }

    private FrameBytes BodyFrame(in StreamMessage message, int topicFrame)
    {
        if (_body is { } configured)
        {
            var index = configured < 0 ? message.FrameCount + configured : configured;
            if (index >= 0 && index < message.FrameCount) return message.Frame(index);
        }

        var next = topicFrame == 0 ? 1 : 0;
        return next < message.FrameCount ? message.Frame(next) : default;
    }
}
