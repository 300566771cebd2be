using System.Collections.Concurrent;
using Zmtp;

namespace Gateway.Devices;

/// <summary>Tells the log of one device and its connections: changes once, repetitions of the same failure not again.</summary>
internal sealed partial class DeviceLog(string device, ILogger logger)
{
    private readonly ConcurrentDictionary<string, string> _lastFailure = new(StringComparer.Ordinal);
    private string? _lastReason;

    public void Started(string type)
    {
        _lastReason = null;
        Started(logger, device, type);
    }

    public void Stopped() => Stopped(logger, device);

    public void Failed(Exception reason, TimeSpan delay)
    {
        if (_lastReason == reason.Message) return;
        _lastReason = reason.Message;
        // What an endpoint's fault explains needs no stack; a defect does.
        Failed(logger, reason is DeviceStartException ? null : reason, device, reason.Message, delay);
    }

    public void Tell(string side, SocketEvent e)
    {
        var why = e.Error?.Message ?? "the peer closed the connection";
        switch (e.Kind)
        {
            case SocketEventKind.Ready:
                _lastFailure.TryRemove(e.Endpoint, out _);
                Ready(logger, device, side, e.Endpoint, e.Remote);
                break;
            case SocketEventKind.Listening:
                Listening(logger, device, side, e.Endpoint);
                break;
            case SocketEventKind.Disconnected:
                Disconnected(logger, device, side, e.Endpoint, e.Remote, why);
                break;
            case SocketEventKind.Retrying or SocketEventKind.HandshakeFailed or SocketEventKind.AcceptFailed:
                if (!_lastFailure.TryGetValue(e.Endpoint, out var last) || last != why) ConnectionFailed(logger, device, side, e.Endpoint, why);
                _lastFailure[e.Endpoint] = why;
                break;
            default:
                break;
        }
    }

    [LoggerMessage(7000, LogLevel.Information, "Device {Device}: started ({Type})")]
    private static partial void Started(ILogger logger, string device, string type);

    [LoggerMessage(7001, LogLevel.Information, "Device {Device}: stopped")]
    private static partial void Stopped(ILogger logger, string device);

    [LoggerMessage(7002, LogLevel.Error, "Device {Device}: failed: {Why} It is started again in {Delay} and from then on until it runs")]
    private static partial void Failed(ILogger logger, Exception? reason, string device, string why, TimeSpan delay);

    [LoggerMessage(7003, LogLevel.Debug, "Device {Device}: {Side} {Endpoint} has a peer, {Remote}")]
    private static partial void Ready(ILogger logger, string device, string side, string endpoint, string remote);

    [LoggerMessage(7004, LogLevel.Information, "Device {Device}: {Side} is listening on {Endpoint}")]
    private static partial void Listening(ILogger logger, string device, string side, string endpoint);

    [LoggerMessage(7005, LogLevel.Debug, "Device {Device}: {Side} {Endpoint} lost its peer {Remote}: {Why}")]
    private static partial void Disconnected(ILogger logger, string device, string side, string endpoint, string remote, string why);

    [LoggerMessage(7006, LogLevel.Warning, "Device {Device}: {Side} {Endpoint}: {Why}")]
    private static partial void ConnectionFailed(ILogger logger, string device, string side, string endpoint, string why);
}
