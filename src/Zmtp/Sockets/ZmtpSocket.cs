using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>What all sockets share: endpoints, peers and their end. Sockets are thread-safe.</summary>
public abstract class ZmtpSocket : IAsyncDisposable, IPeerOwner
{
    private readonly PeerSet _set;
    private IPipeMaker? _pipes;
    private long _messagesLost;
    private long _refusedPeers;

    private protected ZmtpSocket(SocketType type, ZmtpOptions? options)
    {
        Options = (options ?? new ZmtpOptions()).Copy();
        _set = new PeerSet(type, Options, this);
    }

    /// <summary>The pattern that the socket plays.</summary>
    public SocketType Type => _set.Type;

    /// <summary>State of every endpoint, and of every ready peer that connected to a bound one.</summary>
    public IReadOnlyList<EndpointState> Endpoints => _set.Endpoints;

    /// <summary>Where messages go instead of into the receive queue. Set before the first endpoint, or never.</summary>
    internal IPipeMaker? Pipes
    {
        get => _pipes;
        set
        {
            _pipes = value;
            // A pipe that hands on ends with its connection, so every connection has its own.
            _set.MayQueueBeforeReady = value is null;
        }
    }

    /// <summary>Called when a message that was refused may find room now: a peer came, went or has room again. Called from read loops and under locks: it must only take note.</summary>
    internal Action? Changed { get; set; }

    /// <summary>Whether anybody is connected.</summary>
    internal bool HasPeers => Peers.Length > 0;

    /// <summary>Messages that were queued for peers and lost with their connection.</summary>
    public long MessagesLost => Volatile.Read(ref _messagesLost);

    internal ZmtpOptions Settings => Options;

    /// <summary>The endpoint bound or connected last, with the real port of a wildcard; empty before. (LAST_ENDPOINT)</summary>
    public string LastEndpoint => _set.LastEndpoint;

    /// <summary>Peers that the socket did not take: their identity was in use, or the one peer that it takes was there.</summary>
    public long RefusedPeers => Volatile.Read(ref _refusedPeers);

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

    private protected void Connect(string endpoint, IDisposable tag) => _set.Connect(endpoint, tag);

    /// <summary>Takes a connection to an endpoint away, after what is queued has had the linger time to leave.</summary>
    /// <returns>False when there is none.</returns>
    public Task<bool> DisconnectAsync(string endpoint) => _set.DisconnectAsync(endpoint);

    /// <summary>Ends a bound endpoint and the connections that were accepted on it, after what is queued has had the linger time to leave.</summary>
    /// <param name="endpoint">As <see cref="Bind"/> returned it.</param>
    /// <returns>False when there is none.</returns>
    public Task<bool> UnbindAsync(string endpoint) => _set.UnbindAsync(endpoint);

    /// <summary>Begins to note what happens to connections, for those who read it from the monitor.</summary>
    /// <param name="capacity">Most events that wait to be read; further ones are lost and counted.</param>
    public SocketMonitor Monitor(int capacity = 1_000) => _set.Monitor(capacity);

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
            // Under the lock, so that what the socket says of itself comes before what the application sends.
            // A queue that is there over all connections greets each of them itself.
            if (peer is not QueuedPeer { IsLasting: true }) Greet(peer);
            Peers = [.. Peers, peer];
        }

        Attached(peer);
        Changed?.Invoke();
        return sink;
    }

    void IPeerOwner.PeerWritable(Peer peer)
    {
        Writable(peer);
        Changed?.Invoke();
    }

    void IPeerOwner.PeerGone(Peer peer)
    {
        lock (Gate)
        {
            Peers = [.. Peers.Where(p => p != peer)];
            _messagesLost += peer.MessagesLost;
            Detach(peer);
            TellLoss(peer);
        }

        Changed?.Invoke();
    }

    bool IPeerOwner.PeerSubscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe) => Subscribed(peer, topic, subscribe);

    /// <summary>Takes a message over from another socket, by the pattern's rules. The peers that got it are flushed with the batch.</summary>
    internal virtual ForwardOutcome Forward(in Parcel parcel, FlushBatch batch) => throw new NotSupportedException($"A {Type.Name()} socket does not send.");

    /// <summary>Begins a message whose last frame follows in pieces.</summary>
    /// <param name="head">The frames before it.</param>
    /// <param name="length">Bytes of that frame.</param>
    /// <param name="stream">With Sent: takes them.</param>
    internal virtual ForwardOutcome TryBegin(in Parcel head, long length, out FrameStream? stream)
    {
        stream = null;
        return ForwardOutcome.NotInPieces;
    }

    /// <summary>The peer that has no room for this message is not waited for any longer; until it takes something, what is for it is dropped.</summary>
    /// <returns>Whether there is such a peer.</returns>
    internal virtual bool GiveUp(in Parcel parcel) => false;

    /// <summary>The pipe for what a peer sends.</summary>
    private protected IncomingPipe PipeFor(FairQueue queue, Peer peer, byte[]? prefix = null, Func<Message, bool>? filter = null) =>
        peer.Incoming = Pipes?.MakePipe(peer, prefix, filter) ?? new InPipe(queue, peer, prefix, filter);

    /// <summary>Begins a streamed frame at one peer.</summary>
    private protected static bool TryBeginAt(Peer peer, in Parcel head, long length, out FrameStream? stream)
    {
        // What is queued is a message of its own: the parcel may lie in a receive buffer, and its bytes go no further than this call.
        using var frames = head.ToMessage();
        return peer.TryBeginStream(frames, static (m, writer) =>
        {
            for (var i = 0; i < m.Count; i++) writer.WriteFrame(m[i].Span, more: true);
        }, length, out stream);
    }

    /// <summary>Receives what options say when a peer is lost.</summary>
    private void TellLoss(Peer peer)
    {
        var message = peer.IsOutgoing ? Options.HiccupMessage : Options.DisconnectMessage;
        // When we leave, nobody is lost.
        if (message.Length > 0 && !peer.IsLeaving) peer.Incoming?.Enqueue(FromPeer(peer, message));
    }

    /// <summary>Takes a peer in, under the lock.</summary>
    /// <returns>Its sink, or null to refuse it.</returns>
    private protected abstract IFrameSink? Attach(Peer peer);

    /// <summary>Sends a new peer what options say, under the lock.</summary>
    private protected virtual void Greet(Peer peer) => Greet(peer, Options);

    /// <summary>Sends what options say to a peer whose connection is new.</summary>
    internal static void Greet(Peer peer, ZmtpOptions options)
    {
        if (options.ProbeRouter) SendOwn(peer, []);
        if (options.HelloMessage.Length > 0) SendOwn(peer, options.HelloMessage);
    }

    /// <summary>A message of one frame, made here, as if the peer had sent it.</summary>
    private protected virtual Message FromPeer(Peer peer, byte[] frame) => Message.Of(frame);

    /// <summary>Sends a message of one frame that is the socket's own.</summary>
    private protected static void SendOwn(Peer peer, byte[] frame) => peer.TryWrite(frame, static (bytes, writer) => writer.WriteFrame(bytes, more: false));

    /// <summary>The peer is in <see cref="Peers"/>; outside the lock.</summary>
    private protected virtual void Attached(Peer peer)
    {
    }

    /// <summary>Says why a peer is not taken, for <see cref="Attach"/> to return.</summary>
    private protected IFrameSink? Refuse(Peer peer, string why)
    {
        Interlocked.Increment(ref _refusedPeers);
        _set.Raise(SocketEventKind.PeerRefused, peer.Endpoint, peer.Remote, new ZmtpException(why));
        return null;
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
