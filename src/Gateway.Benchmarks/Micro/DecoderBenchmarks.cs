using BenchmarkDotNet.Attributes;
using Zmtp.Wire;

namespace Gateway.Benchmarks.Micro;

/// <summary>ZMTP's decoder on a receive buffer full of frames: per frame, no allocation.</summary>
[MemoryDiagnoser]
public class DecoderBenchmarks
{
    private const int Frames = 1000;
    private FrameDecoder _decoder = new(new DecoderLimits(long.MaxValue, 65_536, 16 * 1024, 64 * 1024));
    private byte[] _buffer = [];

    [Params(0, 100, 16 * 1024)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        var header = FrameHeader.For(Bytes);
        _buffer = new byte[Frames * (header.Size + Bytes)];
        for (var at = 0; at < _buffer.Length; at += header.Size + Bytes) header.Write(_buffer.AsSpan(at));
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public long Decode()
    {
        var (at, bytes) = (0, 0L);
        while (_decoder.Next(_buffer.AsSpan(at), out var consumed, out var part, out _) == DecodeResult.Part)
        {
            at += consumed;
            bytes += part.FrameLength;
        }

        return bytes;
    }
}
