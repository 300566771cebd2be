using System.Diagnostics;
using System.Diagnostics.Metrics;
using Zmtp;

namespace Gateway.Backends;

/// <summary>What is measured of backends; all of it happens rarely, so nothing is on a message's path.</summary>
internal sealed class BackendMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Gateway.Backends";

    private readonly Counter<long> _connectionErrors;
    private readonly Counter<long> _socketEvents;
    private readonly Counter<long> _lateReplies;
    private readonly Counter<long> _badReplies;
    private readonly Counter<long> _repeatedCalls;
    private readonly Counter<long> _droppedMultipart;
    private readonly Counter<long> _lost;

    /// <summary>Makes the instruments.</summary>
    public BackendMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _connectionErrors = meter.CreateCounter<long>("gateway.backend.connection_errors", "{error}", "Connections that ended by an error; error.type says which rule or limit was broken.");
        _socketEvents = meter.CreateCounter<long>("gateway.backend.socket_events", "{event}", "What happened to endpoints and connections, by event and endpoint; error.type says why.");
        _lateReplies = meter.CreateCounter<long>("gateway.backend.late_replies", "{reply}", "Replies whose call had timed out or whose client had left.");
        _badReplies = meter.CreateCounter<long>("gateway.backend.bad_replies", "{reply}", "Replies without the envelope of a request.");
        _repeatedCalls = meter.CreateCounter<long>("gateway.backend.repeated_calls", "{call}", "Calls that were sent again because their peer was lost.");
        _lost = meter.CreateCounter<long>("gateway.backend.lost_messages", "{message}",
            "Messages that were queued at shutdown and that no peer took within Linger.");
        _droppedMultipart = meter.CreateCounter<long>("gateway.backend.dropped_multipart", "{message}", "Messages of several frames from peers of sockets whose messages have one.");
    }

    /// <summary>A connection ended by an error.</summary>
    public void ConnectionError(string backend, Exception error) =>
        _connectionErrors.Add(1, Tag(backend), new("error.type", error is ZmtpProtocolException protocol ? protocol.Error.ToString() : error.GetType().Name));

    /// <summary>Something happened to an endpoint, as configured, or to one of its connections.</summary>
    public void SocketEvent(string backend, in SocketEvent e)
    {
        var tags = new TagList { Tag(backend), { "gateway.event", e.Kind.ToString() }, { "gateway.endpoint", e.Endpoint } };
        if (e.Error is not null) tags.Add("error.type", e.Reason);
        _socketEvents.Add(1, tags);
    }

    /// <summary>A reply came too late.</summary>
    public void LateReply(string backend) => _lateReplies.Add(1, Tag(backend));

    /// <summary>A reply had no envelope.</summary>
    public void BadReply(string backend) => _badReplies.Add(1, Tag(backend));

    /// <summary>A call is sent again.</summary>
    public void RepeatedCall(string backend) => _repeatedCalls.Add(1, Tag(backend));

    /// <summary>A message of several frames came where messages have one.</summary>
    public void DroppedMultipart(string backend) => _droppedMultipart.Add(1, Tag(backend));

    /// <summary>Messages were lost at shutdown.</summary>
    public void Lost(string backend, long messages) => _lost.Add(messages, Tag(backend));

    private static KeyValuePair<string, object?> Tag(string backend) => new("gateway.backend", backend);
}
