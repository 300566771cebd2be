using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>What all sockets share: endpoints, peers and their end. Sockets are thread-safe.</summary>
public abstract class ZmtpSocket : IAsyncDisposable, IPeerOwner
{
    private readonly PeerSet _set;

    private protected ZmtpSocket(SocketType type, ZmtpOptions? options)
    {
        Options = (options ?? new ZmtpOptions()).Copy();
        _set = new PeerSet(type, Options, this);
    }

    /// <summary>The pattern that the socket plays.</summary>
    public SocketType Type => _set.Type;

    /// <summary>State of every endpoint, and of every ready peer that connected to a bound one.</summary>
    public IReadOnlyList<EndpointState> Endpoints => _set.Endpoints;

    private protected ZmtpOptions Options { get; }

    private protected Lock Gate { get; } = new();

    /// <summary>The ready peers, in the order they came. Replaced as a whole, so it may be read without the lock.</summary>
    private protected Peer[] Peers { get; private set; } = [];

    /// <summary>Binds an endpoint, such as <c>tcp://*:5555</c>, <c>tcp://127.0.0.1:*</c>, <c>ipc://path</c> or <c>inproc://name</c>.</summary>
    /// <returns>The endpoint with the real port.</returns>
    /// <exception cref="ZmtpException">It cannot be bound; the message says why.</exception>
    /// <exception cref="ArgumentException">It is no endpoint; the message says what is allowed.</exception>
    public string Bind(string endpoint) => _set.Bind(endpoint);

    /// <summary>Connects to an endpoint, now and whenever the connection is lost. Returns at once.</summary>
    /// <exception cref="ArgumentException">It is no endpoint; the message says what is allowed.</exception>
    public void Connect(string endpoint) => _set.Connect(endpoint);

    /// <summary>Takes a connection to an endpoint away.</summary>
    /// <returns>False when there is none.</returns>
    public Task<bool> DisconnectAsync(string endpoint) => _set.DisconnectAsync(endpoint);

    /// <summary>Closes the socket: what is queued to be sent has the linger time to leave, what was received and not taken is dropped.</summary>
    public async ValueTask DisposeAsync()
    {
        await _set.DisposeAsync();
        OnDisposed();
        GC.SuppressFinalize(this);
    }

    IFrameSink? IPeerOwner.PeerReady(Peer peer)
    {
        IFrameSink? sink;
        lock (Gate)
        {
            sink = Attach(peer);
            if (sink is null) return null;
            Peers = [.. Peers, peer];
        }

        Attached(peer);
        return sink;
    }

    void IPeerOwner.PeerWritable(Peer peer) => Writable(peer);

    void IPeerOwner.PeerGone(Peer peer)
    {
        lock (Gate)
        {
            Peers = [.. Peers.Where(p => p != peer)];
            Detach(peer);
        }
    }

    bool IPeerOwner.PeerSubscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe) => Subscribed(peer, topic, subscribe);

    /// <summary>Takes a peer in, under the lock.</summary>
    /// <returns>Its sink, or null to refuse it.</returns>
    private protected abstract IFrameSink? Attach(Peer peer);

    /// <summary>The peer is in <see cref="Peers"/>; outside the lock.</summary>
    private protected virtual void Attached(Peer peer)
    {
    }

    private protected virtual void Detach(Peer peer)
    {
    }

    private protected virtual void Writable(Peer peer)
    {
    }

    private protected virtual bool Subscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe) => true;

    private protected virtual void OnDisposed()
    {
    }
}
