using System.Text;
using Gateway.Backends;
using Gateway.Configuration;
using Zmtp.Sockets;

namespace Gateway.Streams;

/// <summary>Where the messages of one source meet the audiences that want them.</summary>
/// <remarks>
/// Messages come from the read loops of the source's peers; each is matched once, appended to the log of each audience that wants it, and the
/// lanes of those are woken when the batch ends. The lock covers matching and appending; no call to the source is made under it.
/// </remarks>
internal sealed class TopicHub
{
    /// <summary>Largest message, in bytes, where the backend does not say: a message for a fan-out is held as a whole.</summary>
    public const long DefaultMaxMessageBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    // Taken before the other one: subscriptions reach the source in the order in which they were counted.
    private readonly Lock _upstreamGate = new();
    private readonly IMessageSource _source;
    private readonly SenderLoops _loops;
    private readonly SegmentPool _pool;
    private readonly bool _onDemand;
    private readonly bool _hasGroups;
    private readonly TopicTrie<TopicFilter> _filters = new();
    private readonly Dictionary<(StreamFormat Format, string Key), Audience> _audiences = [];
    private readonly List<Audience> _touched = [];
    // Kept as it changes, and not searched for: health asks, and messages wait for the lock meanwhile.
    private readonly LinkedList<TopicFilter> _neverMatched = [];
    private TaskCompletionSource? _resumed;
    private int _full;
    private long _messages;
    private long _unmatched;
    private long _oversize;

    public TopicHub(IMessageSource source, BackendOptions options, SenderLoops loops, SegmentPool pool)
    {
        (_source, _loops, _pool) = (source, loops, pool);
        _onDemand = options.Upstream is [] or ["Demand"];
        _hasGroups = SocketRoles.HasGroups(options.Socket);
        if (!_onDemand)
        {
            foreach (var prefix in options.Upstream.Distinct(StringComparer.Ordinal)) source.Subscribe(Encoding.UTF8.GetBytes(prefix));
        }

        // A limit of 0 means no limit elsewhere; here a message is held as a whole, so there always is one.
        var maxMessageBytes = options.Options.MaxMessageSize is > 0 and var max ? max : DefaultMaxMessageBytes;
        source.Diagnosis = () => NeverMatched(3) is { Count: > 0 } prefixes
            ? $"messages arrive, but none has begun with {string.Join(" or ", prefixes.Select(prefix => $"\"{prefix}\""))}" : null;
        source.Start(() => new HubSink(this, maxMessageBytes));
    }

    /// <summary>Messages received.</summary>
    public long Messages => Interlocked.Read(ref _messages);

    /// <summary>Messages that nobody wanted.</summary>
    public long UnmatchedMessages => Interlocked.Read(ref _unmatched);

    /// <summary>Messages that were dropped because they were too large.</summary>
    public long OversizeMessages => Interlocked.Read(ref _oversize);

    /// <summary>Whether an audience has to catch up before the source may go on.</summary>
    public bool IsPaused => Volatile.Read(ref _full) > 0;

    /// <summary>Makes a subscription; the source is told of what nobody wanted before.</summary>
    /// <param name="filters">Prefixes of the first frame; none means everything. Of a DISH: groups; none means all that <c>Upstream</c> names.</param>
    /// <exception cref="BackendException">400 <c>topic-required</c> or <c>bad-group</c>: a DISH joins groups by their names.</exception>
    public Subscription Subscribe(StreamFormat format, IReadOnlyList<byte[]> filters)
    {
        if (_hasGroups) CheckGroups(filters);
        return Place(format, filters.Count == 0 ? [[]] : Minimal(filters), audience => audience.Lane(_loops.Next()), present: null, out _);
    }

    /// <summary>Makes a subscription to nothing: a place for a client that will say later what it wants.</summary>
    public Subscription SubscribeToNothing(StreamFormat format) => Place(format, [], audience => audience.Lane(_loops.Next()), present: null, out _);

    /// <summary>Makes the subscription that takes the place of another one, in the same loop. The source is told of what is new; what is no longer wanted ends with the old one.</summary>
    /// <param name="filters">Prefixes of the first frame; none means nothing. Of a DISH: groups; what can be the name of none is left out.</param>
    /// <param name="end">Messages of the present audience from this sequence on are the new one's.</param>
    public Subscription Resubscribe(Subscription present, StreamFormat format, IReadOnlyList<byte[]> filters, out long end) =>
        Place(format, Minimal(_hasGroups ? [.. filters.Where(MayJoin)] : filters), audience => audience.Lane(present.Lane.Loop), present, out end);

    private Subscription Place(StreamFormat format, byte[][] filters, Func<Audience, SenderLane> lane, Subscription? present, out long end)
    {
        // Everything is one empty prefix; no prefix at all has a key of its own.
        var key = filters.Length == 0 ? "\u0101" : string.Join('\u0100', filters.Select(Encoding.Latin1.GetString));
        lock (_upstreamGate)
        {
            List<byte[]> added = [];
            Subscription subscription;
            lock (_gate)
            {
                if (!_audiences.TryGetValue((format, key), out var audience))
                {
                    audience = new Audience(this, format, filters, key, _loops, _pool);
                    _audiences.Add((format, key), audience);
                    foreach (var filter in filters) AddFilter(filter, audience, added);
                }

                audience.Members++;
                subscription = new Subscription(this, lane(audience));
                // Nothing is appended while the lock is held: what comes next is in the new audience, and from here on not the old one's.
                end = present?.Audience.Log.HeadSequence ?? 0;
            }

            if (_onDemand) added.ForEach(filter => _source.Subscribe(filter));
            return subscription;
        }
    }

    /// <summary>Takes a member out of an audience; with the last one goes the audience, and what only it wanted from the source.</summary>
    public void Unsubscribe(Audience audience)
    {
        lock (_upstreamGate)
        {
            List<byte[]> removed = [];
            lock (_gate)
            {
                if (--audience.Members > 0) return;
                _audiences.Remove((audience.Format, audience.Key));
                foreach (var filter in audience.Filters) RemoveFilter(filter, audience, removed);
                if (audience.IsFull) Resume(audience);
                _touched.Remove(audience);
            }

            audience.Counters.Evicted(audience.Log.EvictedTopics);
            audience.Log.Clear();
            if (_onDemand) removed.ForEach(filter => _source.Unsubscribe(filter));
        }
    }

    /// <summary>Appends a message to the log of every audience that wants it.</summary>
    public void Publish(scoped in StreamMessage message)
    {
        lock (_gate)
        {
            var number = _messages++;
            var isWanted = false;
            foreach (var filter in _filters.Match(message.Frame(0).Span))
            {
                // A group is one name; only who asks for all of them is content with any.
                if (_hasGroups && filter.Prefix.Length > 0 && filter.Prefix.Length != message.Frame(0).Length) continue;
                isWanted = true;
                if (filter.Matched++ == 0) Forget(filter);
                foreach (var audience in filter.Audiences)
                {
                    if (audience.LastMessage == number) continue;
                    audience.LastMessage = number;
                    Append(audience, message);
                }
            }

            if (!isWanted) _unmatched++;
        }
    }

    /// <summary>Wakes whoever has something to send since the last time.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            foreach (var audience in _touched)
            {
                audience.IsTouched = false;
                audience.Wake();
            }

            _touched.Clear();
        }
    }

    /// <summary>Counts a message that was too large.</summary>
    public void CountOversize() => Interlocked.Increment(ref _oversize);

    /// <summary>Completes when the source may go on.</summary>
    public ValueTask WhenResumedAsync(CancellationToken stopping)
    {
        // Nothing comes after this, so those who have to catch up are woken now.
        Flush();
        lock (_gate)
        {
            if (_full == 0) return default;
            _resumed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(_resumed.Task.WaitAsync(stopping));
        }
    }

    /// <summary>An audience that was full has room.</summary>
    public void Drained(Audience audience)
    {
        lock (_gate)
        {
            if (audience.IsFull) Resume(audience);
        }
    }

    /// <summary>What no message has matched although messages came: the oldest of the prefixes, as text.</summary>
    /// <param name="most">How many at most.</param>
    public IReadOnlyList<string> NeverMatched(int most)
    {
        var prefixes = new List<byte[]>(most);
        lock (_gate)
        {
            if (_messages == 0) return [];
            for (var node = _neverMatched.First; node is not null
                && prefixes.Count < most; node = node.Next) prefixes.Add(node.Value.Prefix);
        }

        return [.. prefixes.Select(Encoding.UTF8.GetString).Distinct(StringComparer.Ordinal)];
    }

    private void CheckGroups(IReadOnlyList<byte[]> groups)
    {
        if (_onDemand && (groups.Count == 0 || groups.Any(group => group.Length == 0)))
        {
            throw new BackendException(
                400, "topic-required", $"Backend '{_source.Name}' is a DISH, which joins groups by their names: name one by ?topic=, or have the backend's Upstream list them.");
        }

        if (groups.All(group => group.Length == 0 || MayJoin(group))) return;
        throw new BackendException(400, "bad-group", $"A topic here is the name of a group: at most {RadioSocket.MaxGroupLength} bytes as UTF-8, none of them zero.");
    }

    private bool MayJoin(byte[] group) => group.Length <= RadioSocket.MaxGroupLength && !group.AsSpan().Contains((byte)0) && (group.Length > 0 || !_onDemand);

    private void Append(Audience audience, scoped in StreamMessage message)
    {
        if (!audience.Format.Append(audience.Log, message) && !audience.IsFull)
        {
            audience.IsFull = true;
            Volatile.Write(ref _full, _full + 1);
        }

        if (audience.IsTouched) return;
        audience.IsTouched = true;
        _touched.Add(audience);
    }

    private void Resume(Audience audience)
    {
        audience.IsFull = false;
        Volatile.Write(ref _full, _full - 1);
        if (_full > 0) return;
        _resumed?.TrySetResult();
        _resumed = null;
    }

    private void AddFilter(byte[] prefix, Audience audience, List<byte[]> added)
    {
        if (_filters.Find(prefix) is not { } filter)
        {
            filter = new TopicFilter(prefix);
            filter.Unmatched = _neverMatched.AddLast(filter);
            _filters.Add(prefix, filter);
            added.Add(prefix);
        }

        filter.Audiences.Add(audience);
    }

    private void RemoveFilter(byte[] prefix, Audience audience, List<byte[]> removed)
    {
        var filter = _filters.Find(prefix)!;
        filter.Audiences.Remove(audience);
        if (filter.Audiences.Count > 0) return;
        _filters.Remove(prefix);
        Forget(filter);
        removed.Add(filter.Prefix);
    }

    private void Forget(TopicFilter filter)
    {
        if (filter.Unmatched is not { } node) return;
        filter.Unmatched = null;
        _neverMatched.Remove(node);
    }

    /// <summary>Leaves out what another filter covers, and sorts, so that the same wishes meet in the same audience.</summary>
    private byte[][] Minimal(IReadOnlyList<byte[]> filters)
    {
        if (filters.Any(filter => filter.Length == 0)) return [[]];
        var sorted = filters.ToArray();
        Array.Sort(sorted, static (x, y) => x.AsSpan().SequenceCompareTo(y));
        var minimal = new List<byte[]>(sorted.Length);
        foreach (var filter in sorted)
        {
            var isCovered = minimal.Count > 0 && (_hasGroups ? filter.AsSpan().SequenceEqual(minimal[^1]) : filter.AsSpan().StartsWith(minimal[^1]));
            if (!isCovered) minimal.Add(filter);
        }

        return [.. minimal];
    }
}
