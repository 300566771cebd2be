using BenchmarkDotNet.Attributes;
using Gateway.WebSockets;

namespace Gateway.Benchmarks.WebSockets;

/// <summary>What one message costs before any system call: unmasking, parsing with all checks, and framing. Figures are per message.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class WebSocketBenchmarks
{
    private const int Messages = 100;
    private const uint Key = 0x3D21FA37;

    private readonly byte[] _frame = new byte[WebSocketFrames.MaxHeaderSize + 64 * 1024];
    private WebSocketFrameParser _parser = null!;
    private byte[] _payload = [];
    private byte[] _binary = [];
    private byte[] _text = [];

    /// <summary>A small quote, the longest control payload, and an image's piece.</summary>
    [Params(20, 125, 16 * 1024)]
    public int PayloadBytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _parser = new WebSocketFrameParser(new WebSocketLimits());
        _payload = new byte[PayloadBytes];
        _payload.AsSpan().Fill((byte)'x');
        _binary = Frames(WebSocketOpcode.Binary, Key);
        // Unmasking happens in place; a key of zeros leaves the text what it is from one run to the next.
        _text = Frames(WebSocketOpcode.Text, key: 0);
    }

    [Benchmark]
    public uint Unmask() => WebSocketMask.Apply(_payload, Key);

    [Benchmark(OperationsPerInvoke = Messages)]
    public int ParseBinary() => Parse(_binary);

    [Benchmark(OperationsPerInvoke = Messages)]
    public int ParseText() => Parse(_text);

    [Benchmark]
    public int WriteHeader() => WebSocketFrames.WriteHeader(_frame, WebSocketOpcode.Binary, PayloadBytes);

    [Benchmark]
    public int WriteFrame() => WebSocketFrames.WriteFrame(_frame, WebSocketOpcode.Binary, _payload);

    private byte[] Frames(WebSocketOpcode opcode, uint key)
    {
        var one = new byte[WebSocketFrames.HeaderSize(PayloadBytes) + sizeof(uint) + PayloadBytes];
        WebSocketFrames.WriteMaskedFrame(one, opcode, _payload, key);
        return [.. Enumerable.Repeat(one, Messages).SelectMany(frame => frame)];
    }

    private int Parse(Span<byte> input)
    {
        var messages = 0;
        while (true)
        {
            var step = _parser.Next(input);
            if (step.Kind != WebSocketStepKind.Data) break;
            messages++;
            input = input[step.Consumed..];
        }

        return messages == Messages ? messages : throw new InvalidOperationException($"{messages} messages of {Messages}.");
    }
}
