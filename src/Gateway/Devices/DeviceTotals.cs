using System.Runtime.InteropServices;
using Zmtp.Proxies;

namespace Gateway.Devices;

/// <summary>What a device has moved since the gateway started, over all its restarts.</summary>
/// <param name="In">From the frontend to the backend.</param>
/// <param name="Out">From the backend to the frontend.</param>
/// <param name="MonitorMissed">Messages that the monitor had no room for.</param>
internal readonly record struct DeviceTotals(ProxyTraffic In, ProxyTraffic Out, long MonitorMissed)
{
    /// <summary>The same with what the proxy that runs now has moved.</summary>
    public DeviceTotals With(in ProxyStatistics now) => new(Sum(In, now.FromFrontend), Sum(Out, now.FromBackend), MonitorMissed + now.MonitorMissed);

    // What waits belongs to the proxy that runs; everything else adds up.
    private static ProxyTraffic Sum(in ProxyTraffic a, in ProxyTraffic b) => new(
        a.Messages + b.Messages, a.Frames + b.Frames, a.Bytes + b.Bytes, a.SentFrames + b.SentFrames, a.SentBytes + b.SentBytes,
        a.Dropped + b.Dropped, a.Lost + b.Lost, b.Waiting);
}

/// <summary>Messages a second each way, over about the last second.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct DeviceRates(long since)
{
    private long _at = since;
    private long _in;
    private long _out;

    public double In { get; private set; }

    public double Out { get; private set; }

    public void Sample(TimeProvider time, in DeviceTotals totals)
    {
        var now = time.GetTimestamp();
        var seconds = time.GetElapsedTime(_at, now).TotalSeconds;
        if (seconds <= 0) return;
        (In, Out) = (Math.Round((totals.In.Messages - _in) / seconds, 1), Math.Round((totals.Out.Messages - _out) / seconds, 1));
        (_at, _in, _out) = (now, totals.In.Messages, totals.Out.Messages);
    }
}
