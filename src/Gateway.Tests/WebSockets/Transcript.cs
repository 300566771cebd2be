using System.Text;
using Gateway.WebSockets;

namespace Gateway.Tests.WebSockets;

/// <summary>What a parser says about some bytes, in a form that does not depend on the pieces in which it saw them.</summary>
internal sealed record Transcript(IReadOnlyList<string> Events, WebSocketFault Fault)
{
    /// <summary>Feeds all the bytes, in pieces that end at the given places.</summary>
    public static Transcript Of(ReadOnlySpan<byte> bytes, WebSocketLimits limits, params IEnumerable<int> cuts)
    {
        var parser = new WebSocketFrameParser(limits);
        var recorder = new Recorder();
        var start = 0;
        foreach (var cut in cuts.Append(bytes.Length))
        {
            if (!recorder.Feed(parser, bytes[start..cut].ToArray())) break;
            start = cut;
        }

        return new Transcript(recorder.Events, recorder.Fault);
    }

    public bool Equals(Transcript? other) => other is not null && Fault == other.Fault && Events.SequenceEqual(other.Events, StringComparer.Ordinal);

    public override int GetHashCode() => HashCode.Combine(Fault, Events.Count);

    public override string ToString() => $"{string.Join(' ', Events)} / {Fault}";

    private sealed class Recorder
    {
        private readonly StringBuilder _message = new();

        public List<string> Events { get; } = [];

        public WebSocketFault Fault { get; private set; }

        public bool Feed(WebSocketFrameParser parser, byte[] piece)
        {
            var rest = piece.AsSpan();
            while (true)
            {
                var step = parser.Next(rest);
                Assert.InRange(step.Consumed, 0, rest.Length);
                switch (step.Kind)
                {
                    case WebSocketStepKind.NeedMoreData:
                        Assert.Equal(rest.Length, step.Consumed);
                        return true;
                    case WebSocketStepKind.Data:
                        _message.Append(Convert.ToHexString(rest.Slice(step.PayloadStart, step.PayloadLength)));
                        if (!step.EndOfMessage) break;
                        Events.Add($"{step.Opcode}:{_message}");
                        _message.Clear();
                        break;
                    case WebSocketStepKind.Failed:
                        Fault = step.Fault;
                        return false;
                    case WebSocketStepKind.Close:
                        Events.Add($"Close:{parser.CloseCode}:{Convert.ToHexString(parser.ControlPayload.Span)}");
                        break;
                    default:
                        Events.Add($"{step.Kind}:{Convert.ToHexString(parser.ControlPayload.Span)}");
                        break;
                }

                rest = rest[step.Consumed..];
            }
        }
    }
}
