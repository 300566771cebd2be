using System.Text;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>RADIO: every message goes to each DISH that joined exactly its group (48/RADIO-DISH). Messages have one frame.</summary>
/// <remarks>
/// A peer at its high-water mark misses the message; misses are counted. Over <c>udp://</c> a message is one datagram to whoever listens
/// (libzmq's form: the group's length in one octet, the group, the body), and nobody joins.
/// </remarks>
public sealed class RadioSocket(ZmtpOptions? options = null) : ZmtpSocket(SocketType.Radio, options)
{
    /// <summary>Longest group, in bytes.</summary>
    public const int MaxGroupLength = 255;

    private long _dropped;

    /// <summary>Messages that a peer missed because it was at its high-water mark, or that the system did not take as a datagram.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Sends a message of one frame to the members of a group. The message is taken over.</summary>
    /// <param name="group">0 to 255 bytes as UTF-8.</param>
    /// <returns>Number of peers it was queued to.</returns>
    /// <exception cref="ArgumentException">The group is too long, the message has not exactly one frame, or it does not fit the datagram of a connected <c>udp://</c> endpoint.</exception>
    public int Send(string group, Message message) => Send(Encoding.UTF8.GetBytes(group), message);

    /// <inheritdoc cref="Send(string, Message)"/>
    public int Send(ReadOnlySpan<byte> group, Message message)
    {
        CheckGroup(group);
        SinglePart.Check(Type, message);
        var peers = Peers;
        foreach (var peer in peers) (peer as UdpPeer)?.CheckSize(group.Length, message.Length);
        using var whole = Message.Create();
        whole.Add(group);
        whole.AddFrame(message, 0);
        message.Dispose();
        var sent = 0;
        foreach (var peer in peers)
        {
            if (!Wants(peer, group)) continue;
            if (peer.TrySend(whole)) sent++;
            else Interlocked.Increment(ref _dropped);
        }

        return sent;
    }

    internal override ForwardOutcome Forward(in Parcel parcel, FlushBatch batch)
    {
        if (parcel.Count != 2 || parcel.First.Length > MaxGroupLength) return ForwardOutcome.Dropped;
        foreach (var peer in Peers)
        {
            var fits = peer is not UdpPeer || parcel.Length + 1 <= Transports.UdpTransport.MaxDatagram;
            if (Wants(peer, parcel.First) && !(fits && peer.TryForward(parcel, batch))) Interlocked.Increment(ref _dropped);
        }

        return ForwardOutcome.Sent;
    }

    internal static void CheckGroup(ReadOnlySpan<byte> group)
    {
        if (group.Length > MaxGroupLength) throw new ArgumentException($"A group has at most {MaxGroupLength} bytes; this one has {group.Length}.", nameof(group));
        if (group.Contains((byte)0)) throw new ArgumentException("A group has no zero byte: libzmq's peers would see it end there.", nameof(group));
    }

    private protected override IFrameSink Attach(Peer peer)
    {
        peer.Tag = new Membership();
        // What a DISH sends besides JOIN and LEAVE is nobody's to read.
        return new DiscardingSink();
    }

    private protected override bool Subscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe)
    {
        var members = (Membership)peer.Tag!;
        lock (members)
        {
            if (subscribe && members.Groups.Count >= Options.MaxSubscriptions) return false;
            var groups = members.Groups.GetAlternateLookup<ReadOnlySpan<byte>>();
            _ = subscribe ? groups.Add(topic) : groups.Remove(topic);
        }

        return true;
    }

    private static bool Wants(Peer peer, ReadOnlySpan<byte> group)
    {
        if (peer is UdpPeer) return true;
        var members = (Membership)peer.Tag!;
        lock (members) return members.Groups.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(group);
    }

    private sealed class Membership
    {
        public HashSet<byte[]> Groups { get; } = new(ByteKey.Comparer);
    }
}
