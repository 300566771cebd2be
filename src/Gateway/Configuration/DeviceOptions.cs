using System.ComponentModel.DataAnnotations;

namespace Gateway.Configuration;

/// <summary>A device: it stands between two sockets and forwards messages both ways. docs/devices.md shows each kind.</summary>
public sealed class DeviceOptions
{
    /// <summary>
    /// Queue (ROUTER and DEALER: clients and services), Forwarder (XSUB and XPUB: publishers and subscribers), Streamer (PULL and PUSH: producers and
    /// workers), MonitoredQueue (a queue whose traffic a monitor shows) or Proxy (any two sockets that fit). Required.
    /// </summary>
    [Required]
    [AllowedValues("Queue", "Forwarder", "Streamer", "MonitoredQueue", "Proxy")]
    public string Type { get; set; } = "";

    /// <summary>The side of clients, publishers or producers.</summary>
    public DeviceSideOptions Frontend { get; set; } = new();

    /// <summary>The side of services, subscribers or workers.</summary>
    public DeviceSideOptions Backend { get; set; } = new();

    /// <summary>A socket that gets a copy of every message. Required for a MonitoredQueue; it has no effect without an endpoint.</summary>
    public DeviceMonitorOptions Monitor { get; set; } = new();

    /// <summary>A socket that takes PAUSE, RESUME, TERMINATE and STATISTICS, as libzmq's steerable proxy: PAIR by default, or REP, DEALER, PULL, SUB. Default none.</summary>
    public DeviceSideOptions Control { get; set; } = new();

    /// <summary>Time that a message waits for a ROUTER's peer that is full; then it is dropped and counted, and so is what follows for that peer until it reads. Default 10 s; 0 (at once, as libzmq) to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan FullPeerTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>First wait before a device that failed is started again; doubles up to <see cref="RestartMax"/>, always jittered. Default 1 s; 10 ms to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00")]
    public TimeSpan RestartMin { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait before a device that failed is started again. Default 1 min; at least <see cref="RestartMin"/>, at most 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "1.00:00:00")]
    public TimeSpan RestartMax { get; set; } = TimeSpan.FromMinutes(1);
}
