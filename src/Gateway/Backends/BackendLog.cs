using System.Collections.Concurrent;
using Zmtp;

namespace Gateway.Backends;

/// <summary>Tells the log of one backend's connections: changes once, repetitions of the same failure not again.</summary>
internal sealed partial class BackendLog(string backend, ILogger logger, BackendMetrics metrics, CancellationToken stopping = default)
{
    private readonly ConcurrentDictionary<string, string> _lastFailure = new(StringComparer.Ordinal);

    public void Tell(SocketEvent e)
    {
        metrics.SocketEvent(backend, e);
        if (e is { Kind: SocketEventKind.HandshakeFailed or SocketEventKind.Disconnected or SocketEventKind.AcceptFailed, Error: { } error }) metrics.ConnectionError(backend, error);
        // At shutdown every connection ends; that is nobody's news.
        if (stopping.IsCancellationRequested) return;
        switch (e.Kind)
        {
            case SocketEventKind.Ready:
                _lastFailure.TryRemove(e.Endpoint, out _);
                Ready(logger, backend, e.Endpoint, e.Remote);
                break;
            case SocketEventKind.Listening:
                Listening(logger, backend, e.Endpoint);
                break;
            case SocketEventKind.Retrying:
                var why = e.Error?.Message ?? "the peer closed the connection";
                if (Changed(e.Endpoint, why)) Retrying(logger, backend, e.Endpoint, why);
                break;
            case SocketEventKind.HandshakeFailed:
                if (Changed(e.Endpoint, e.Error?.Message ?? "")) HandshakeFailed(logger, backend, e.Endpoint, e.Remote, e.Error?.Message ?? "the peer closed the connection");
                break;
            case SocketEventKind.Disconnected:
                Disconnected(logger, backend, e.Endpoint, e.Remote, e.Error?.Message ?? "closed by the peer");
                break;
            case SocketEventKind.PeerRefused:
                if (Changed(e.Endpoint, e.Error?.Message ?? "")) PeerRefused(logger, backend, e.Endpoint, e.Error?.Message ?? "");
                break;
            case SocketEventKind.Stopped:
                Stopped(logger, backend, e.Endpoint, e.Error?.Message ?? "the peer closed the connection");
                break;
            case SocketEventKind.AcceptFailed:
                if (Changed(e.Endpoint, e.Error?.Message ?? "")) AcceptFailed(logger, backend, e.Endpoint, e.Error?.Message ?? "");
                break;
            default:
                break;
        }
    }

    /// <summary>Says once that a connected peer has sent nothing.</summary>
    public void Silent(string why) => Silent(logger, backend, why);

    private bool Changed(string endpoint, string failure)
    {
        var changed = !_lastFailure.TryGetValue(endpoint, out var last) || last != failure;
        _lastFailure[endpoint] = failure;
        return changed;
    }

    /// <summary>Messages were queued at shutdown and no peer took them in time.</summary>
    public void Lost(long messages)
    {
        metrics.Lost(backend, messages);
        MessagesLost(logger, backend, messages);
    }

    [LoggerMessage(2022, LogLevel.Error, "Backend {Backend}: {Messages} messages were not taken by a peer within Linger and are lost")]
    private static partial void MessagesLost(ILogger logger, string backend, long messages);

    [LoggerMessage(2000, LogLevel.Information, "Backend {Backend}: {Endpoint} is ready (peer {Remote})")]
    private static partial void Ready(ILogger logger, string backend, string endpoint, string remote);

    [LoggerMessage(2001, LogLevel.Warning, "Backend {Backend}: {Endpoint} is not reachable: {Why} It is tried again until it is")]
    private static partial void Retrying(ILogger logger, string backend, string endpoint, string why);

    [LoggerMessage(2002, LogLevel.Information, "Backend {Backend}: listening on {Endpoint}")]
    private static partial void Listening(ILogger logger, string backend, string endpoint);

    [LoggerMessage(2003, LogLevel.Warning, "Backend {Backend}: handshake on {Endpoint} with {Remote} failed: {Why}")]
    private static partial void HandshakeFailed(ILogger logger, string backend, string endpoint, string remote, string why);

    [LoggerMessage(2004, LogLevel.Information, "Backend {Backend}: {Endpoint} lost its peer {Remote}: {Why}")]
    private static partial void Disconnected(ILogger logger, string backend, string endpoint, string remote, string why);

    [LoggerMessage(2007, LogLevel.Warning, "Backend {Backend}: a peer of {Endpoint} is not taken: {Why}")]
    private static partial void PeerRefused(ILogger logger, string backend, string endpoint, string why);

    [LoggerMessage(2008, LogLevel.Warning, "Backend {Backend}: {Endpoint} is not tried again, as ReconnectStop says: {Why}")]
    private static partial void Stopped(ILogger logger, string backend, string endpoint, string why);

    [LoggerMessage(2006, LogLevel.Warning, "Backend {Backend}: {Why}")]
    private static partial void Silent(ILogger logger, string backend, string why);

    [LoggerMessage(2005, LogLevel.Warning, "Backend {Backend}: {Endpoint} cannot accept: {Why}")]
    private static partial void AcceptFailed(ILogger logger, string backend, string endpoint, string why);
}
