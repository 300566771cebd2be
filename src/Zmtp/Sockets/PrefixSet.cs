namespace Zmtp.Sockets;

/// <summary>The subscriptions of one peer: a set of byte prefixes. Matching looks once at each length that occurs, however many prefixes there are.</summary>
/// <remarks>Not thread-safe: its socket's lock guards it. No recursion, so a topic's length costs no stack.</remarks>
internal sealed class PrefixSet
{
    private readonly SortedDictionary<int, HashSet<byte[]>> _byLength = [];
    private KeyValuePair<int, HashSet<byte[]>.AlternateLookup<ReadOnlySpan<byte>>>[] _lengths = [];

    public int Count { get; private set; }

    /// <summary>What the prefixes cost in memory, about.</summary>
    public long Bytes { get; private set; }

    /// <summary>What one prefix costs: its bytes, an array's head and an entry of a set.</summary>
    public static long Cost(ReadOnlySpan<byte> prefix) => prefix.Length + 64;

    public bool Add(ReadOnlySpan<byte> prefix)
    {
        if (!_byLength.TryGetValue(prefix.Length, out var set))
        {
            _byLength[prefix.Length] = set = new HashSet<byte[]>(ByteKey.Comparer);
            Changed();
        }

        if (!set.GetAlternateLookup<ReadOnlySpan<byte>>().Add(prefix)) return false;
        Count++;
        Bytes += Cost(prefix);
        return true;
    }

    public bool Remove(ReadOnlySpan<byte> prefix)
    {
        if (!_byLength.TryGetValue(prefix.Length, out var set) || !set.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(prefix)) return false;
        Count--;
        Bytes -= Cost(prefix);
        if (set.Count > 0) return true;
        _byLength.Remove(prefix.Length);
        Changed();
        return true;
    }

    public bool Matches(ReadOnlySpan<byte> topic)
    {
        foreach (var (length, set) in _lengths)
        {
            if (length > topic.Length) return false;
            if (set.Contains(topic[..length])) return true;
        }

        return false;
    }

    public IEnumerable<byte[]> All() => _byLength.Values.SelectMany(set => set);

    private void Changed() => _lengths = [.. _byLength.Select(pair => KeyValuePair.Create(pair.Key, pair.Value.GetAlternateLookup<ReadOnlySpan<byte>>()))];
}
