using Zmtp.Transports;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>
/// The connections of one socket: endpoints are bound and connected here, handshakes done, lost connections made again. What the messages
/// mean is the owner's business; sockets and the gateway's lanes are owners.
/// </summary>
public sealed class PeerSet : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Connector> _connectors = [];
    private readonly List<Listener> _listeners = [];
    private readonly List<UdpEndpoint> _udp = [];
    private readonly Dictionary<string, InprocListener> _inproc = new(StringComparer.Ordinal);
    private readonly Dictionary<Peer, DateTimeOffset> _accepted = [];
    private SocketMonitor[] _monitors = [];
    private string _lastEndpoint = "";
    private readonly ZmtpOptions _below;
    private bool _disposed;

    /// <summary>Makes a set without connections.</summary>
    /// <param name="type">Our socket type.</param>
    /// <param name="options">Copied.</param>
    /// <param name="owner">Told of peers.</param>
    public PeerSet(SocketType type, ZmtpOptions options, IPeerOwner owner)
    {
        options.Check(type);
        (Type, Options, Owner) = (type, options.Copy(), owner);
        _below = Options.Conflate || !Options.Immediate ? QueuedPeer.Below(Options) : Options;
    }

    /// <summary>Our socket type.</summary>
    public SocketType Type { get; }

    internal ZmtpOptions Options { get; }

    internal IPeerOwner Owner { get; }

    /// <summary>Whether endpoints may take messages before they are connected, if the options say so.</summary>
    internal bool MayQueueBeforeReady { get; set; } = true;

    /// <summary>The endpoint bound or connected last, with the real port of a wildcard; empty before. (LAST_ENDPOINT)</summary>
    public string LastEndpoint => Volatile.Read(ref _lastEndpoint);

    /// <summary>Every endpoint, and every ready peer that connected to a bound one.</summary>
    public IReadOnlyList<EndpointState> Endpoints
    {
        get
        {
            var states = new List<EndpointState>();
            lock (_gate)
            {
                foreach (var connector in _connectors) states.Add(connector.State);
                foreach (var listener in _listeners) states.Add(listener.State);
                foreach (var udp in _udp) states.Add(udp.State);
                foreach (var inproc in _inproc.Values) states.Add(new EndpointState(inproc.Endpoint, EndpointRole.Bind, EndpointPhase.Listening, null, inproc.Since, null));
                foreach (var (peer, since) in _accepted) states.Add(new EndpointState(peer.Remote, EndpointRole.Accepted, EndpointPhase.Ready, null, since, peer));
            }

            return states;
        }
    }

    /// <summary>Connects to an endpoint and keeps the connection up until <see cref="DisconnectAsync"/>. Returns at once.</summary>
    /// <exception cref="ArgumentException">It is no endpoint that can be connected to.</exception>
    public void Connect(string endpoint) => Connect(endpoint, tag: null);

    /// <summary>Connects; each peer that comes about gets the tag, which is disposed when the endpoint is taken away.</summary>
    internal void Connect(string endpoint, IDisposable? tag)
    {
        var parsed = ZmtpEndpoint.Parse(endpoint);
        if ((parsed.IsTcp || parsed.Scheme == "udp") && (parsed.Port == 0 || parsed.Host == "*")) throw new ArgumentException($"Endpoint \"{endpoint}\" has no host and port to connect to.", nameof(endpoint));
        if (WhyNot(Type, parsed, binds: false) is { } why) throw new ArgumentException($"Endpoint \"{endpoint}\" cannot be connected to: {why}.", nameof(endpoint));
        if (parsed.Scheme == "udp")
        {
            Add(UdpEndpoint.Connect(this, parsed));
            return;
        }

        var connector = new Connector(this, parsed, tag);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _connectors.Add(connector);
        }

        Volatile.Write(ref _lastEndpoint, connector.Endpoint);
        connector.Start();
    }

    /// <summary>Tries endpoints again, at once, that are waited for after a failed attempt: for a user who needs a peer now.</summary>
    /// <param name="every">An endpoint whose last attempt began less than this ago is left alone.</param>
    /// <returns>Whether a peer may be ready soon: one is, one is being connected to, or one may connect to a bound endpoint. False when all
    /// are known to be down.</returns>
    public bool RetryNow(TimeSpan every)
    {
        lock (_gate)
        {
            var any = _listeners.Count > 0 || _inproc.Count > 0 || _udp.Count > 0;
            foreach (var connector in _connectors) any |= connector.TryNow(every);
            return any;
        }
    }

    /// <summary>Why a socket of this type does not take an endpoint, in words that follow a colon; null when it does.</summary>
    public static string? WhyNot(SocketType type, ZmtpEndpoint endpoint, bool binds) => endpoint.Scheme switch
    {
        "udp" when type != SocketType.Radio && type != SocketType.Dish => $"udp is for RADIO, which connects, and DISH, which binds; this is a {type.Name()} socket",
        "udp" when binds && type == SocketType.Radio => "over udp a RADIO connects and a DISH binds",
        "udp" when !binds && type == SocketType.Dish => "over udp a DISH binds and a RADIO connects",
        not ("tcp" or "ipc") when type == SocketType.Stream => "a STREAM socket speaks raw bytes over tcp or ipc",
        _ => null,
    };

    /// <summary>Takes one connection to an endpoint away, after what is queued has had the linger time to leave.</summary>
    /// <returns>False when there is none.</returns>
    public async Task<bool> DisconnectAsync(string endpoint)
    {
        var text = ZmtpEndpoint.Parse(endpoint).ToString();
        Connector? connector;
        lock (_gate)
        {
            connector = _connectors.FindLast(c => c.Endpoint == text);
            if (connector is not null) _connectors.Remove(connector);
        }

        if (connector is null) return await RemoveUdpAsync(text, EndpointRole.Connect);
        await LingerAsync([connector], []);
        await connector.DisposeAsync();
        return true;
    }

    /// <summary>Ends a bound endpoint and the connections that were accepted on it, after what is queued has had the linger time to leave.</summary>
    /// <param name="endpoint">As <see cref="Bind"/> returned it.</param>
    /// <returns>False when there is none.</returns>
    public async Task<bool> UnbindAsync(string endpoint)
    {
        var parsed = ZmtpEndpoint.Parse(endpoint);
        Listener? listener;
        InprocListener? inproc = null;
        Peer[] accepted;
        if (parsed.Scheme == "udp") return await RemoveUdpAsync(parsed.ToString(), EndpointRole.Bind);
        lock (_gate)
        {
            listener = _listeners.Find(l => l.Endpoint == parsed.ToString());
            if (listener is not null) _listeners.Remove(listener);
            else if (parsed.Scheme == "inproc" && _inproc.Remove(parsed.Host, out inproc)) Options.Inproc.Unbind(parsed.Host, inproc);
            else return false;
            accepted = [.. _accepted.Keys.Where(peer => peer.Endpoint == (listener?.Endpoint ?? inproc!.Endpoint))];
        }

        listener?.StopAccepting();
        await LingerAsync([], accepted);
        foreach (var peer in accepted.OfType<InprocPeer>()) peer.Abort(new ZmtpException("The endpoint was taken out of use."));
        if (listener is not null) await listener.DisposeAsync();
        else Raise(SocketEventKind.Closed, inproc!.Endpoint, "");
        return true;
    }

    /// <summary>Begins to note what happens to connections, for those who read it from the monitor.</summary>
    /// <param name="capacity">Most events that wait to be read; further ones are lost and counted.</param>
    public SocketMonitor Monitor(int capacity = 1_000)
    {
        var monitor = new SocketMonitor(capacity, gone =>
        {
            lock (_gate) _monitors = [.. _monitors.Where(m => m != gone)];
        });
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _monitors = [.. _monitors, monitor];
        }

        return monitor;
    }

    /// <summary>Binds an endpoint and accepts peers on it.</summary>
    /// <returns>The endpoint with the real port where <c>*</c> or 0 was asked for.</returns>
    /// <exception cref="ZmtpException">It cannot be bound; the message says why.</exception>
    /// <exception cref="ArgumentException">It is no endpoint.</exception>
    public string Bind(string endpoint)
    {
        var parsed = ZmtpEndpoint.Parse(endpoint);
        if (WhyNot(Type, parsed, binds: true) is { } why) throw new ArgumentException($"Endpoint \"{endpoint}\" cannot be bound: {why}.", nameof(endpoint));
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (parsed.Scheme == "udp") return Add(UdpEndpoint.Bind(this, parsed)).Endpoint;
        if (parsed.Scheme == "inproc")
        {
            var inproc = new InprocListener(endpoint, this, Options.Time.GetUtcNow());
            Options.Inproc.Bind(parsed.Host, inproc);
            lock (_gate) _inproc[parsed.Host] = inproc;
            Volatile.Write(ref _lastEndpoint, endpoint);
            Raise(SocketEventKind.Listening, endpoint, "");
            return endpoint;
        }

        Listener listener;
        try
        {
            listener = new Listener(this, parsed);
        }
        catch (ZmtpException e)
        {
            Raise(SocketEventKind.BindFailed, endpoint, "", e);
            throw;
        }

        lock (_gate) _listeners.Add(listener);
        Volatile.Write(ref _lastEndpoint, listener.Endpoint);
        listener.Start();
        return listener.Endpoint;
    }

    /// <summary>Closes all connections and endpoints. What is queued is given the linger time to leave.</summary>
    public async ValueTask DisposeAsync()
    {
        Connector[] connectors;
        Listener[] listeners;
        UdpEndpoint[] udp;
        Peer[] accepted;
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            (connectors, listeners, udp, accepted) = ([.. _connectors], [.. _listeners], [.. _udp], [.. _accepted.Keys]);
            foreach (var (name, inproc) in _inproc) Options.Inproc.Unbind(name, inproc);
        }

        await LingerAsync(connectors, accepted);
        foreach (var peer in accepted.OfType<InprocPeer>()) peer.Abort(new ZmtpException("The socket was closed."));
        await Task.WhenAll([.. connectors.Select(c => c.DisposeAsync().AsTask()), .. listeners.Select(l => l.DisposeAsync().AsTask()), .. udp.Select(u => u.DisposeAsync().AsTask())]);
        foreach (var inproc in _inproc.Values) Raise(SocketEventKind.Closed, inproc.Endpoint, "");
        foreach (var monitor in Volatile.Read(ref _monitors)) monitor.Complete();
    }

    internal void Raise(SocketEventKind kind, string endpoint, string remote, Exception? error = null, TimeSpan delay = default)
    {
        var e = new SocketEvent(kind, endpoint, remote, error, delay);
        Tell(e);
        try
        {
            Options.Events?.Invoke(e);
        }
        catch (Exception failure)
        {
            // The callback is the application's; accepting and connecting go on whatever it does.
            Tell(new SocketEvent(SocketEventKind.CallbackFailed, endpoint, remote, failure, default));
        }
    }

    private void Tell(in SocketEvent e)
    {
        foreach (var monitor in Volatile.Read(ref _monitors)) monitor.Tell(e);
    }

    /// <summary>Makes the peer of a new connection: ZMTP, or raw bytes for a STREAM socket.</summary>
    /// <param name="queue">The queue in front of the connector's connections, or null.</param>
    internal LinkPeer MakePeer(Link link, string endpoint, bool isOutgoing, Action ready, QueuedPeer? queue = null)
    {
        if (Type == SocketType.Stream) return new StreamPeer(link, endpoint, isOutgoing, Options, Owner) { Ready = ready };
        queue ??= ConflatingQueue(endpoint, isOutgoing);
        return new WirePeer(link, endpoint, isOutgoing, Type, queue is null ? Options : _below, Options.CreateMechanism(Type), queue ?? Owner) { Ready = ready, Queue = queue };
    }

    /// <summary>The queue in front of one new connection of a socket that sends and keeps the last message only; else null.</summary>
    internal QueuedPeer? ConflatingQueue(string endpoint, bool isOutgoing) =>
        Options.Conflate && Type is not (SocketType.Pull or SocketType.Sub) ? new QueuedPeer(endpoint, isOutgoing, isLasting: false, Options, Owner) : null;

    /// <summary>The queue in front of all connections to an endpoint; null where messages go to ready peers only.</summary>
    internal QueuedPeer? LastingQueue(string endpoint) =>
        !Options.Immediate && MayQueueBeforeReady && QueuedPeer.IsFor(Type) ? new QueuedPeer(endpoint, isOutgoing: true, isLasting: true, Options, Owner) : null;

    /// <summary>The options of a connection, by whether there is a queue in front of it.</summary>
    internal ZmtpOptions OptionsOf(QueuedPeer? queue) => queue is null ? Options : _below;

    internal void Accepted(Peer peer)
    {
        lock (_gate) _accepted[peer] = Options.Time.GetUtcNow();
    }

    internal void Gone(Peer peer)
    {
        lock (_gate) _accepted.Remove(peer);
    }

    /// <summary>Takes in the listening side of an inproc connection.</summary>
    internal bool Adopt(InprocPeer peer)
    {
        lock (_gate)
        {
            if (_disposed) return false;
            _accepted[peer] = Options.Time.GetUtcNow();
        }

        Raise(SocketEventKind.Accepted, peer.Endpoint, peer.Endpoint);
        _ = peer.Ended.ContinueWith(
            static (_, state) =>
            {
                var (set, gone) = ((PeerSet, InprocPeer))state!;
                set.Gone(gone);
            },
            (this, peer), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return true;
    }

    private UdpEndpoint Add(UdpEndpoint udp)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _udp.Add(udp);
        }

        udp.Start();
        return udp;
    }

    private async Task<bool> RemoveUdpAsync(string endpoint, EndpointRole role)
    {
        UdpEndpoint? udp;
        lock (_gate)
        {
            udp = _udp.FindLast(u => u.Endpoint == endpoint && u.State.Role == role);
            if (udp is null) return false;
            _udp.Remove(udp);
        }

        await udp.DisposeAsync();
        return true;
    }

    private async Task LingerAsync(Connector[] connectors, Peer[] accepted)
    {
        Peer[] peers = [.. connectors.Select(c => c.Pipe).Concat(accepted).OfType<Peer>().Select(peer => (peer as LinkPeer)?.Queue ?? peer)];
        foreach (var peer in peers)
        {
            peer.IsLeaving = true;
            peer.Finish();
        }

        if (Options.Linger == TimeSpan.Zero) return;
        var flushed = Task.WhenAll(peers.Select(p => p.FlushedAsync()));
        try
        {
            await flushed.WaitAsync(Options.Linger, Options.Time);
        }
        catch (TimeoutException)
        {
            // The linger time is over; what is left is lost, as the option says.
        }
    }
}
