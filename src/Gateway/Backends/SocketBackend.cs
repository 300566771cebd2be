using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Backends;

/// <summary>A backend over one of the engine's ordinary sockets.</summary>
internal abstract class SocketBackend<TSocket> : IBackend, IAsyncDisposable
    where TSocket : ZmtpSocket
{
    private readonly BackendLog _log;

    protected SocketBackend(string name, BackendOptions options, ZmtpOptions socket, BackendLog log, Func<ZmtpOptions, TSocket> make)
    {
        _log = log;
        (Name, Socket) = (name, options.Socket.ToUpperInvariant());
        socket.Events = log.Tell;
        ZmtpSocket = make(socket);
        foreach (var (endpoint, index) in options.Bind.Select((endpoint, index) => (endpoint, index)))
        {
            try
            {
                ZmtpSocket.Bind(endpoint);
            }
            catch (ZmtpException e)
            {
                throw new BackendStartException($"Gateway:Backends:{Name}:Bind:{index} is \"{endpoint}\", which cannot be used: {e.Message}", e);
            }
        }

        foreach (var endpoint in options.Connect) ZmtpSocket.Connect(endpoint);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Socket { get; }

    /// <inheritdoc/>
    public IReadOnlyList<EndpointStatus> Endpoints => [.. ZmtpSocket.Endpoints.Select(EndpointWords.Describe)];

    /// <inheritdoc/>
    public virtual bool IsReady => ZmtpSocket.Endpoints.Any(state => state.Phase == EndpointPhase.Ready);

    /// <inheritdoc/>
    public string? WhyNotReady => IsReady ? null : EndpointWords.WhyNot(ZmtpSocket.Endpoints);

    protected TSocket ZmtpSocket { get; }

    /// <summary>Closes the socket: what is queued has its linger time to leave, and what is left is told.</summary>
    public async ValueTask DisposeAsync()
    {
        var before = ZmtpSocket.MessagesLost;
        await ZmtpSocket.DisposeAsync();
        if (ZmtpSocket.MessagesLost - before is > 0 and var lost) _log.Lost(lost);
    }
}
