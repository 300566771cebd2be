using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Backends;

/// <summary>What all ZeroMQ backends share: the peers of one socket and what can be said about them.</summary>
internal abstract class ZmtpBackend : IBackend, IPeerOwner, IAsyncDisposable
{
    private readonly BackendOptions _options;

    protected ZmtpBackend(string name, BackendOptions options, SocketType type, ZmtpOptions socket, BackendLog log)
    {
        (Name, Socket, _options) = (name, options.Socket.ToUpperInvariant(), options);
        Log = log;
        socket.Events = e =>
        {
            log.Tell(e);
            Told(e);
        };
        Set = new PeerSet(type, socket, this);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Socket { get; }

    /// <inheritdoc/>
    public virtual IReadOnlyList<EndpointStatus> Endpoints => [.. Set.Endpoints.Select(EndpointWords.Describe)];

    /// <inheritdoc/>
    public virtual bool IsReady => HasPeers;

    /// <inheritdoc/>
    public virtual string? WhyNotReady => IsReady ? null : EndpointWords.WhyNot(Set.Endpoints);

    /// <inheritdoc/>
    public virtual string? Notice => null;

    protected PeerSet Set { get; }

    protected BackendLog Log { get; }

    protected abstract bool HasPeers { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Set.DisposeAsync();
        Disposed();
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    public abstract IFrameSink? PeerReady(Peer peer);

    /// <inheritdoc/>
    public virtual void PeerWritable(Peer peer)
    {
    }

    /// <inheritdoc/>
    public abstract void PeerGone(Peer peer);

    /// <inheritdoc/>
    public virtual bool PeerSubscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe) => true;

    /// <summary>Binds and connects all endpoints.</summary>
    /// <exception cref="BackendStartException">An endpoint cannot be bound.</exception>
    protected void Open()
    {
        foreach (var (endpoint, index) in _options.Bind.Select((endpoint, index) => (endpoint, index)))
        {
            try
            {
                Set.Bind(endpoint);
            }
            catch (ZmtpException e)
            {
                throw new BackendStartException($"Gateway:Backends:{Name}:Bind:{index} is \"{endpoint}\", which cannot be used: {e.Message}", e);
            }
        }

        foreach (var endpoint in _options.Connect) Set.Connect(endpoint);
    }

    /// <summary>Something happened to an endpoint or a connection.</summary>
    protected virtual void Told(in SocketEvent e)
    {
    }

    protected virtual void Disposed()
    {
    }
}

/// <summary>An endpoint of the configuration cannot be bound; the message names the setting.</summary>
internal sealed class BackendStartException(string message, Exception inner) : Exception(message, inner);
