using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Gateway.Configuration;

namespace Gateway.Connections;

/// <summary>
/// Lets web connections in up to <see cref="LimitOptions.MaxConnections"/> and to the process's limit of descriptors; those beyond are
/// counted and said now and then.
/// </summary>
internal sealed class ConnectionGate
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Gateway.Connections";

    /// <summary>Between two lines in the log.</summary>
    internal static readonly TimeSpan LogPeriod = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly DescriptorLimit _descriptors;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly int _max;
    private readonly Counter<long> _refused;
    private int _active;
    private long _untold;
    private long? _toldAt;

    public ConnectionGate(GatewayConfiguration configuration, DescriptorLimit descriptors, IMeterFactory meters, TimeProvider time,
        ILogger<ConnectionGate> logger)
    {
        (_descriptors, _time, _logger) = (descriptors, time, logger);
        _max = configuration.Current.Limits.MaxConnections ?? int.MaxValue;
        var meter = meters.Create(MeterName);
        meter.CreateObservableUpDownCounter("gateway.connection.active", () => Volatile.Read(ref _active), "{connection}",
            "Connections of the web server that are open.");
        _refused = meter.CreateCounter<long>("gateway.connection.refused", "{connection}",
            "Connections closed at once because there were too many.");
    }

    /// <summary>Connections that are open.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Counts a connection in that was accepted.</summary>
    /// <param name="socket">Null for one that has none.</param>
    /// <returns>False: it is one too many and has to be closed.</returns>
    public bool TryEnter(Socket? socket)
    {
        if (Interlocked.Increment(ref _active) > _max) return Refuse("limit", "Limits:MaxConnections");
        var descriptor = socket is { SafeHandle.IsInvalid: false } ? (int)socket.SafeHandle.DangerousGetHandle() : 0;
        return descriptor < _descriptors.First
            || Refuse("descriptors", $"the limit of {_descriptors.Limit} open files less {_descriptors.Reserve}");
    }

    /// <summary>A connection that was let in has ended.</summary>
    public void Leave() => Interlocked.Decrement(ref _active);

    private bool Refuse(string reason, string limit)
    {
        Leave();
        _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));
        long count;
        lock (_gate)
        {
            _untold++;
            if (_toldAt is { } told && _time.GetElapsedTime(told) < LogPeriod) return false;
            (_toldAt, count, _untold) = (_time.GetTimestamp(), _untold, 0);
        }

        _logger.ConnectionsRefused(count, limit, Active);
        return false;
    }
}

/// <summary>Log messages of web connections.</summary>
internal static partial class ConnectionLog
{
    [LoggerMessage(9401, LogLevel.Warning, "{Count} connections refused since this was said last, by {Limit}; {Active} are open")]
    public static partial void ConnectionsRefused(this ILogger logger, long count, string limit, int active);

    [LoggerMessage(9402, LogLevel.Debug, "A refused connection did not close cleanly")]
    public static partial void RefusedConnectionFailed(this ILogger logger, Exception exception);
}
