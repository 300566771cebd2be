using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Gateway.Connections;

/// <summary>
/// Kestrel's transport behind the <see cref="ConnectionGate"/>: what is one too many is closed before the server hears of it.
/// </summary>
internal sealed class BoundedTransport(IOptions<SocketTransportOptions> options, ILoggerFactory loggers, ConnectionGate gate)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly SocketTransportFactory _inner = new(options, loggers);
    private readonly ILogger _logger = loggers.CreateLogger<BoundedTransport>();

    /// <inheritdoc/>
    public bool CanBind(EndPoint endpoint) => _inner.CanBind(endpoint);

    /// <inheritdoc/>
    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await _inner.BindAsync(endpoint, cancellationToken), gate, _logger);

    private sealed class Listener(IConnectionListener inner, ConnectionGate gate, ILogger logger) : IConnectionListener
    {
        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await inner.AcceptAsync(cancellationToken) is { } connection)
            {
                if (gate.TryEnter(connection.Features.Get<IConnectionSocketFeature>()?.Socket)) return connection;
                _ = CloseAsync(connection);
            }

            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => inner.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private async Task CloseAsync(ConnectionContext connection)
        {
            try
            {
                // A reset, and at once: what is refused must not hold its descriptor for as long as its peer likes.
                if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket) socket.Close(timeout: 0);
                connection.Abort();
                await connection.DisposeAsync();
            }
#pragma warning disable CA1031 // Nobody awaits this, and the connection is not wanted.
            catch (Exception e)
#pragma warning restore CA1031
            {
                logger.RefusedConnectionFailed(e);
            }
        }
    }
}
