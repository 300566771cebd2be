using System.Buffers.Binary;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>What SERVER and PEER share: peers have routing ids, messages one frame (41/CLISRV, 51/P2P).</summary>
/// <remarks>A routing id is a number of this socket alone, counted from a random start, never 0; nothing of it is on the wire.</remarks>
public abstract class RoutedSocket : ZmtpSocket
{
    private readonly Dictionary<uint, Peer?> _routes = [];
    private readonly ChangeSignal _signal = new();
    private readonly FairQueue _in;
    private uint _lastId = (uint)Random.Shared.NextInt64(uint.MaxValue);
    private long _dropped;

    private protected RoutedSocket(SocketType type, ZmtpOptions? options)
        : base(type, options) => _in = new FairQueue(Options);

    /// <summary>Received messages that were dropped because they had several frames.</summary>
    public long DroppedMultipart => Volatile.Read(ref _dropped);

    /// <summary>Sends a message of one frame to a peer; waits while it is at its high-water mark. The message is taken over when the call succeeds.</summary>
    /// <exception cref="ZmtpUnreachableException">No peer has this routing id (libzmq: EHOSTUNREACH).</exception>
    /// <exception cref="ArgumentException">The message has not exactly one frame.</exception>
    /// <exception cref="TimeoutException">It had no room within <see cref="ZmtpOptions.SendTimeout"/>.</exception>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public ValueTask SendAsync(uint routingId, Message message, CancellationToken cancellationToken = default) =>
        TrySend(routingId, message)
            ? default
            : _signal.UntilAsync((socket: this, routingId, message), static s => s.socket.TrySend(s.routingId, s.message), Options, cancellationToken);

    /// <summary>Sends a message of one frame when the peer has room now. The message is taken over when the answer is true.</summary>
    /// <returns>False when the peer is at its high-water mark (libzmq: EAGAIN).</returns>
    /// <exception cref="ZmtpUnreachableException">No peer has this routing id (libzmq: EHOSTUNREACH).</exception>
    /// <exception cref="ArgumentException">The message has not exactly one frame.</exception>
    public bool TrySend(uint routingId, Message message)
    {
        SinglePart.Check(Type, message);
        Peer? peer;
        lock (Gate)
        {
            if (!_routes.TryGetValue(routingId, out peer)) throw new ZmtpUnreachableException($"No peer has the routing id {routingId}.");
        }

        if (peer?.TrySend(message) != true) return false;
        message.Dispose();
        return true;
    }

    /// <summary>Waits for the next message. The caller owns it.</summary>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask<RoutedMessage> ReceiveAsync(CancellationToken cancellationToken = default)
    {
        var (message, peer) = await _in.ReceiveAsync(cancellationToken);
        return new RoutedMessage(((Route)peer.Tag!).Id, message);
    }

    /// <summary>Takes a message that is here already. The caller owns it.</summary>
    public bool TryReceive(out RoutedMessage message)
    {
        var any = _in.TryReceive(out var received, out var peer);
        message = any ? new RoutedMessage(((Route)peer!.Tag!).Id, received!) : default;
        return any;
    }

    internal override ForwardOutcome Forward(in Parcel parcel, FlushBatch batch)
    {
        Peer? peer = null;
        var isKnown = false;
        lock (Gate)
        {
            if (parcel is { Count: 2, First.Length: sizeof(uint) }) isKnown = _routes.TryGetValue(BinaryPrimitives.ReadUInt32BigEndian(parcel.First), out peer);
        }

        if (!isKnown) return ForwardOutcome.Dropped;
        return peer is not null && peer.TryForward(parcel.WithoutFirst(), batch) ? ForwardOutcome.Sent : ForwardOutcome.Full;
    }

    /// <summary>Takes a routing id for an endpoint that is going to be connected to: it stays the same however often the connection is made again.</summary>
    private protected Route Reserve()
    {
        lock (Gate)
        {
            var route = new Route(this, NextId(), isReserved: true);
            _routes.Add(route.Id, null);
            return route;
        }
    }

    private protected override IFrameSink Attach(Peer peer)
    {
        var route = peer.Tag as Route ?? new Route(this, NextId(), isReserved: false);
        peer.Tag = route;
        _routes[route.Id] = peer;
        // Where messages go on to another socket the routing id is a frame of four bytes in front, as ROUTER's identity is.
        return new SinglePartSink(PipeFor(_in, peer, Pipes is null ? null : Frame(route.Id)), hasGroup: false, () => Interlocked.Increment(ref _dropped));
    }

    private protected override Message FromPeer(Peer peer, byte[] frame) => Pipes is null ? Message.Of(frame) : Message.Of(Frame(((Route)peer.Tag!).Id), frame);

    private protected override void Attached(Peer peer) => _signal.Changed();

    private protected override void Writable(Peer peer) => _signal.Changed();

    private protected override void Detach(Peer peer)
    {
        var route = (Route)peer.Tag!;
        // The next connection to the same endpoint may be there already.
        if (!_routes.TryGetValue(route.Id, out var current) || current != peer) return;
        if (route.IsReserved) _routes[route.Id] = null;
        else _routes.Remove(route.Id);
        _signal.Changed();
    }

    private protected override void OnDisposed()
    {
        _in.Dispose();
        _signal.Close();
    }

    private static byte[] Frame(uint id)
    {
        var frame = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(frame, id);
        return frame;
    }

    private uint NextId()
    {
        do _lastId++;
        while (_lastId == 0 || _routes.ContainsKey(_lastId));
        return _lastId;
    }

    private void Free(Route route)
    {
        lock (Gate) _routes.Remove(route.Id);
        _signal.Changed();
    }

    private protected sealed class Route(RoutedSocket socket, uint id, bool isReserved) : IDisposable
    {
        public uint Id => id;

        public bool IsReserved => isReserved;

        public void Dispose() => socket.Free(this);
    }
}

/// <summary>A message and whom it came from.</summary>
/// <param name="RoutingId">The sender's routing id, to answer to.</param>
/// <param name="Message">One frame; the receiver owns it.</param>
public readonly record struct RoutedMessage(uint RoutingId, Message Message) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Message.Dispose();
}

/// <summary>SERVER: receives requests of one frame from many CLIENT peers and answers each by its routing id, in any order and number (41/CLISRV).</summary>
public sealed class ServerSocket(ZmtpOptions? options = null) : RoutedSocket(SocketType.Server, options);

/// <summary>PEER: as SERVER, to other PEER sockets, and it also connects to them by name of endpoint (51/P2P).</summary>
public sealed class PeerSocket(ZmtpOptions? options = null) : RoutedSocket(SocketType.Peer, options)
{
    /// <summary>Connects to an endpoint, now and whenever the connection is lost. Returns at once; sending waits until the peer is there.</summary>
    /// <returns>The routing id of the peer at the endpoint, whose connections come and go. (libzmq: zmq_connect_peer)</returns>
    /// <exception cref="ArgumentException">It is no endpoint; the message says what is allowed.</exception>
    public uint ConnectPeer(string endpoint)
    {
        var route = Reserve();
        try
        {
            Connect(endpoint, route);
            return route.Id;
        }
        catch
        {
            route.Dispose();
            throw;
        }
    }
}
