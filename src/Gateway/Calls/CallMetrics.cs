using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Gateway.Calls;

/// <summary>What is measured of calls.</summary>
/// <remarks>Where nobody listens nothing is done; the clock is not even read.</remarks>
internal sealed class CallMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Gateway.Calls";

    private readonly Histogram<double> _duration;
    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _stripped;

    /// <summary>Makes the instruments.</summary>
    public CallMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _duration = meter.CreateHistogram<double>("gateway.call.duration", "s", "From the request's last byte to the reply's last byte.");
        _active = meter.CreateUpDownCounter<long>("gateway.active_calls", "{call}", "Calls that wait for their reply or receive it.");
        _stripped = meter.CreateCounter<long>("gateway.call.stripped_headers", "{header}", "Header fields of backends that were not passed on.");
    }

    /// <summary>A call begins.</summary>
    /// <returns>Its start, for <see cref="Ended"/>; 0 when nobody listens.</returns>
    public long Began(KeyValuePair<string, object?>[] tags)
    {
        if (!_duration.Enabled && !_active.Enabled) return 0;
        _active.Add(1, tags);
        return Stopwatch.GetTimestamp();
    }

    /// <summary>A call ended.</summary>
    /// <param name="began">What <see cref="Began"/> returned; 0 when the call did not begin.</param>
    /// <param name="error">Stable code of its failure, or null.</param>
    /// <param name="strippedFields">Header fields that were not passed on.</param>
    public void Ended(long began, KeyValuePair<string, object?>[] tags, string? error, int strippedFields)
    {
        if (strippedFields > 0) _stripped.Add(strippedFields, tags);
        if (began == 0) return;
        _active.Add(-1, tags);
        var all = error is null ? tags : [.. tags, new("error.type", error)];
        _duration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds, all);
    }
}
