using System.Text;
using BenchmarkDotNet.Attributes;
using Gateway.Streams;

namespace Gateway.Benchmarks.Micro;

/// <summary>One message's topic against many filters: the time must not grow with the filters that do not match.</summary>
[MemoryDiagnoser]
public class TopicTrieBenchmarks
{
    private readonly TopicTrie<string> _trie = new();
    private readonly byte[] _topic = "market.000042.last"u8.ToArray();

    [Params(10, 10_000, 1_000_000)]
    public int Filters { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        for (var i = 0; i < Filters; i++) _trie.Add(Encoding.UTF8.GetBytes($"market.{i:D6}"), "filter");
        _trie.Add("market."u8, "all");
        if (Filters <= 42) _trie.Add("market.000042"u8, "one");
    }

    [Benchmark]
    public int Match()
    {
        var found = 0;
        foreach (var _ in _trie.Match(_topic)) found++;
        return found;
    }
}
