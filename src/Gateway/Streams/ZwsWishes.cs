namespace Gateway.Streams;

/// <summary>The prefixes that a ZeroMQ subscriber wants, within those that its request named. Thread-safe.</summary>
/// <param name="within">Topics of the path and the query; none means all. What is wanted beyond them is not given.</param>
/// <param name="wantsAll">Whether everything is wanted without being asked for: PULL.</param>
/// <param name="maxWishes">Most prefixes.</param>
/// <param name="hasGroups">Whether topics are the exact names of groups: DISH. A longer or a shorter name is another group then.</param>
internal sealed class ZwsWishes(IReadOnlyList<byte[]> within, bool wantsAll, int maxWishes, bool hasGroups = false)
{
    private readonly Lock _gate = new();
    private readonly List<byte[]> _wishes = wantsAll ? [[]] : [];

    /// <summary>Adds a prefix or takes it back; one that is there already, or is not there, changes nothing.</summary>
    /// <returns>False when there are too many.</returns>
    public bool TryChange(ReadOnlySpan<byte> prefix, bool isWanted)
    {
        lock (_gate)
        {
            var at = IndexOf(prefix);
            if (!isWanted && at >= 0) _wishes.RemoveAt(at);
            if (!isWanted || at >= 0) return true;
            if (_wishes.Count >= maxWishes) return false;
            _wishes.Add(prefix.ToArray());
            return true;
        }
    }

    /// <summary>The prefixes that are wanted and may be had: of a wish and a topic of the request the longer one, where one begins with the other; of groups the request's where it is the same or all are wished for.</summary>
    public IReadOnlyList<byte[]> Filters()
    {
        lock (_gate)
        {
            if (within.Count == 0) return [.. _wishes];
            var filters = new List<byte[]>();
            foreach (var wish in _wishes)
            {
                foreach (var topic in within)
                {
                    if (hasGroups && wish.Length > 0 && !wish.AsSpan().SequenceEqual(topic)) continue;
                    if (wish.AsSpan().StartsWith(topic)) filters.Add(wish);
                    else if (topic.AsSpan().StartsWith(wish)) filters.Add(topic);
                }
            }

            return filters;
        }
    }

    private int IndexOf(ReadOnlySpan<byte> prefix)
    {
        for (var i = 0; i < _wishes.Count; i++)
        {
            if (prefix.SequenceEqual(_wishes[i])) return i;
        }

        return -1;
    }
}
