using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Gateway.Streams;

/// <summary>What is measured of streams. Everything is counted anyway, and read when somebody asks.</summary>
internal sealed class StreamMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Gateway.Streams";

    private readonly ConcurrentDictionary<StreamCounters, bool> _routes = [];
    private readonly ConcurrentDictionary<string, TopicHub> _hubs = new(StringComparer.OrdinalIgnoreCase);
    private readonly Meter _meter;

    /// <summary>Makes the instruments.</summary>
    public StreamMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _meter.CreateObservableUpDownCounter("gateway.stream.active_subscribers", () => Routes(static route => route.ActiveSubscribers), "{subscriber}", "Subscribers that are connected.");
        _meter.CreateObservableCounter("gateway.stream.delivered_messages", () => Routes(static route => route.DeliveredMessages), "{message}", "Messages handed to subscribers' connections, once for each.");
        _meter.CreateObservableCounter("gateway.stream.delivered_bytes", () => Routes(static route => route.DeliveredBytes), "By", "Bytes of them, framing included.");
        _meter.CreateObservableCounter("gateway.stream.dropped_messages", () => Routes(static route => route.DroppedMessages), "{message}", "Messages that subscribers lost because they did not keep up, once for each.");
        _meter.CreateObservableCounter("gateway.stream.evicted_topics", () => Routes(static route => route.EvictedTopics), "{topic}", "Topics forgotten because a route had more than MaxTopics.");
        _meter.CreateObservableCounter("gateway.stream.cut_subscribers", () => Routes(static route => route.CutSubscribers), "{subscriber}", "Subscribers cut because a write stalled or a ping was not answered.");
        _meter.CreateObservableCounter("gateway.stream.received_messages", () => Hubs(static hub => hub.Messages), "{message}", "Messages received from sources.");
        _meter.CreateObservableCounter("gateway.stream.unmatched_messages", () => Hubs(static hub => hub.UnmatchedMessages), "{message}", "Messages that nobody had subscribed to.");
        _meter.CreateObservableCounter("gateway.stream.oversize_messages", () => Hubs(static hub => hub.OversizeMessages), "{message}", "Messages dropped because they were larger than MaxMessageSize.");
    }

    /// <summary>The routes that are served.</summary>
    public ICollection<StreamCounters> All => _routes.Keys;

    /// <summary>Counters of a route that is served from now on.</summary>
    public StreamCounters Add(string route, string backend)
    {
        var counters = new StreamCounters(route, backend);
        _routes[counters] = true;
        return counters;
    }

    /// <summary>The route is gone.</summary>
    public void Remove(StreamCounters counters) => _routes.TryRemove(counters, out _);

    /// <summary>Measures a hub.</summary>
    public void Observe(string backend, TopicHub hub) => _hubs[backend] = hub;

    /// <summary>Measures the memory of what waits.</summary>
    public void Observe(SegmentPool pool) => _meter.CreateObservableUpDownCounter(
        "gateway.stream.waiting_bytes", () => pool.RentedBytes, "By", "Memory in which messages wait for subscribers.");

    private IEnumerable<Measurement<long>> Routes(Func<StreamCounters, long> read) =>
        _routes.Keys.Select(route => new Measurement<long>(read(route), route.Tags));

    private IEnumerable<Measurement<long>> Hubs(Func<TopicHub, long> read) =>
        _hubs.Select(hub => new Measurement<long>(read(hub.Value), new KeyValuePair<string, object?>("gateway.backend", hub.Key)));
}
