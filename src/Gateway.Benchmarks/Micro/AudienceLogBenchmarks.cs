using BenchmarkDotNet.Attributes;
using Gateway.Configuration;
using Gateway.Streams;

namespace Gateway.Benchmarks.Micro;

/// <summary>A message into the log of its audience and out again: what a message costs before and beside the system calls.</summary>
[MemoryDiagnoser]
public class AudienceLogBenchmarks
{
    private const int Messages = 1000;
    private readonly LogReader _reader = new();
    private AudienceLog _log = null!;
    private byte[] _body = [];

    [Params(100, 16 * 1024)]
    public int Bytes { get; set; }

    [Params(SlowConsumerPolicy.DropOldest, SlowConsumerPolicy.Conflate)]
    public SlowConsumerPolicy Policy { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _body = new byte[Bytes];
        _log = new AudienceLog(new SubscriberOptions { Policy = Policy }, 10_000, new SegmentPool(), static () => { });
        _log.Add(_reader);
    }

    /// <summary>A pass of the lane after every tenth message.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public void AppendAndPass()
    {
        for (var i = 0; i < Messages; i++)
        {
            _log.Append([0x82, 100], new FrameBytes(_body), default);
            while (i % 10 == 9 && _log.TryRead(_reader, out var batch, out _)) _log.Complete(_reader, batch);
        }
    }

    /// <summary>Nobody reads: every message pushes the oldest one out.</summary>
    [Benchmark(OperationsPerInvoke = Messages)]
    public void AppendAndDropOldest()
    {
        for (var i = 0; i < Messages; i++) _log.Append([0x82, 100], new FrameBytes(_body), default);
    }
}
