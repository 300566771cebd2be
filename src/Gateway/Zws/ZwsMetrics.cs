using System.Diagnostics.Metrics;

namespace Gateway.Zws;

/// <summary>What is measured of ZeroMQ peers over WebSocket that send: on call, push and publish routes. Those of streams count as subscribers.</summary>
internal sealed class ZwsMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Gateway.Zws";

    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _received;
    private readonly Counter<long> _unanswered;

    /// <summary>Makes the instruments.</summary>
    public ZwsMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _active = meter.CreateUpDownCounter<long>("gateway.zws.active_peers", "{peer}", "ZeroMQ peers over WebSocket that are connected.");
        _received = meter.CreateCounter<long>("gateway.zws.received_messages", "{message}", "Messages that they sent.");
        _unanswered = meter.CreateCounter<long>("gateway.zws.unanswered_messages", "{message}", "Messages of them that were dropped or got no reply; error.type says why.");
    }

    /// <summary>A peer came.</summary>
    public void Came(string route) => _active.Add(1, Tag(route));

    /// <summary>A peer went.</summary>
    public void Went(string route) => _active.Add(-1, Tag(route));

    /// <summary>A peer sent a message.</summary>
    public void Received(string route) => _received.Add(1, Tag(route));

    /// <summary>A message got no reply, or was not taken.</summary>
    public void Unanswered(string route, string error) => _unanswered.Add(1, Tag(route), new("error.type", error));

    private static KeyValuePair<string, object?> Tag(string route) => new("gateway.route", route);
}
