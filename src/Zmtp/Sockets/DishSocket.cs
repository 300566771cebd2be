using System.Text;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>DISH: receives the messages of the groups that it joined, by their exact names (48/RADIO-DISH). Messages have one frame.</summary>
/// <remarks>Over <c>udp://</c> it binds, to an address or a multicast group of the network, and takes the datagrams of its groups.</remarks>
public sealed class DishSocket : ZmtpSocket
{
    private readonly HashSet<byte[]> _groups = new(ByteKey.Comparer);
    private readonly FairQueue _in;
    private long _dropped;

    /// <summary>Makes one that has joined nothing.</summary>
    public DishSocket(ZmtpOptions? options = null)
        : base(SocketType.Dish, options) => _in = new FairQueue(Options);

    /// <summary>Received messages that were dropped because they were not a group and one frame.</summary>
    public long DroppedMultipart => Volatile.Read(ref _dropped);

    /// <summary>Joins a group at every present and future RADIO.</summary>
    /// <param name="group">0 to 255 bytes, none of them zero.</param>
    /// <exception cref="ArgumentException">The group is too long, holds a zero byte, or was joined already (libzmq: EINVAL).</exception>
    public void Join(ReadOnlySpan<byte> group)
    {
        RadioSocket.CheckGroup(group);
        lock (Gate)
        {
            if (!_groups.GetAlternateLookup<ReadOnlySpan<byte>>().Add(group)) throw new ArgumentException($"The group \"{Encoding.UTF8.GetString(group)}\" was joined already.", nameof(group));
            foreach (var peer in Peers) peer.SendSubscription(group, subscribe: true);
        }
    }

    /// <inheritdoc cref="Join(ReadOnlySpan{byte})"/>
    public void Join(string group) => Join(Encoding.UTF8.GetBytes(group));

    /// <summary>Leaves a group.</summary>
    /// <exception cref="ArgumentException">It was not joined (libzmq: EINVAL).</exception>
    public void Leave(ReadOnlySpan<byte> group)
    {
        lock (Gate)
        {
            if (!_groups.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(group)) throw new ArgumentException($"The group \"{Encoding.UTF8.GetString(group)}\" was not joined.", nameof(group));
            foreach (var peer in Peers) peer.SendSubscription(group, subscribe: false);
        }
    }

    /// <inheritdoc cref="Leave(ReadOnlySpan{byte})"/>
    public void Leave(string group) => Leave(Encoding.UTF8.GetBytes(group));

    /// <summary>Waits for the next message of a joined group. The caller owns it.</summary>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask<GroupMessage> ReceiveAsync(CancellationToken cancellationToken = default) => new((await _in.ReceiveAsync(cancellationToken)).Message);

    /// <summary>Takes a message that is here already. The caller owns it.</summary>
    public bool TryReceive(out GroupMessage message)
    {
        var any = _in.TryReceive(out var received, out _);
        message = any ? new GroupMessage(received!) : default;
        return any;
    }

    private protected override IFrameSink Attach(Peer peer)
    {
        // Under the lock: a group that is joined now reaches the peer once, here or in Join.
        foreach (var group in _groups) peer.SendSubscription(group, subscribe: true);
        return new SinglePartSink(PipeFor(_in, peer, filter: IsJoined), hasGroup: true, () => Interlocked.Increment(ref _dropped));
    }

    private protected override void OnDisposed() => _in.Dispose();

    /// <summary>A RADIO may send more than was asked for: it has not seen a LEAVE yet, or speaks over UDP, where nobody asks.</summary>
    private bool IsJoined(Message message)
    {
        lock (Gate) return _groups.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(message[0].Span);
    }
}

/// <summary>A message of a group.</summary>
/// <param name="Message">Two frames: the group and the body. The receiver owns it.</param>
public readonly record struct GroupMessage(Message Message) : IDisposable
{
    /// <summary>The group.</summary>
    public ReadOnlyMemory<byte> Group => Message[0];

    /// <summary>The group, read as UTF-8.</summary>
    public string GroupName => Message.Text(0);

    /// <summary>The message's one frame.</summary>
    public ReadOnlyMemory<byte> Body => Message[1];

    /// <summary>The frame, read as UTF-8.</summary>
    public string Text => Message.Text(1);

    /// <inheritdoc/>
    public void Dispose() => Message.Dispose();
}
