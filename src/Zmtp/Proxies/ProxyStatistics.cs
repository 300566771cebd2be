namespace Zmtp.Proxies;

/// <summary>What a proxy has moved.</summary>
/// <param name="FromFrontend">From the frontend to the backend.</param>
/// <param name="FromBackend">From the backend to the frontend.</param>
/// <param name="MonitorMissed">Messages that the monitor had no room for.</param>
public readonly record struct ProxyStatistics(ProxyTraffic FromFrontend, ProxyTraffic FromBackend, long MonitorMissed);

/// <summary>What went one way through a proxy.</summary>
/// <param name="Messages">Messages taken from one side.</param>
/// <param name="Frames">Their frames, as the proxy has them: a ROUTER's identity is one.</param>
/// <param name="Bytes">Bytes of the frames, without framing.</param>
/// <param name="SentFrames">Frames handed to the other side.</param>
/// <param name="SentBytes">Bytes of those.</param>
/// <param name="Dropped">Messages that the pattern dropped: unknown identity, peer full for too long, subscriber at its high-water mark (one for each).</param>
/// <param name="Lost">Messages that were taken and then lost: with the connection they were queued for, or at the end because the linger time was over.</param>
/// <param name="Waiting">Messages that wait for room on the other side now.</param>
public readonly record struct ProxyTraffic(
    long Messages, long Frames, long Bytes, long SentFrames, long SentBytes, long Dropped, long Lost, long Waiting);

/// <summary>What a proxy does.</summary>
public enum ProxyState
{
    /// <summary>Messages pass.</summary>
    Running,

    /// <summary>Nothing passes; what arrives waits up to the receive high-water marks, then nothing is read.</summary>
    Paused,

    /// <summary>It ends: what was taken is still passed on, nothing new is taken.</summary>
    Draining,

    /// <summary>Over.</summary>
    Stopped,
}
