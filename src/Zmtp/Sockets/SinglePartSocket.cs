using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>What CLIENT, SCATTER, GATHER and CHANNEL share: as DEALER, PUSH, PULL and PAIR, with messages of one frame.</summary>
/// <remarks>Their files hold one family of sockets each, as those of the sockets with several frames do.</remarks>
public abstract class SinglePartSocket : BalancedSocket
{
    private long _dropped;

    private protected SinglePartSocket(SocketType type, ZmtpOptions? options)
        : base(type, options)
    {
    }

    /// <summary>Received messages that were dropped because they had several frames.</summary>
    public long DroppedMultipart => Volatile.Read(ref _dropped);

    internal override ForwardOutcome Forward(in Parcel parcel, FlushBatch batch) => parcel.Count == 1 ? base.Forward(parcel, batch) : ForwardOutcome.Dropped;

    internal override ForwardOutcome TryBegin(in Parcel head, long length, out FrameStream? stream)
    {
        stream = null;
        return head.Count == 0 ? base.TryBegin(head, length, out stream) : ForwardOutcome.Dropped;
    }

    private protected override IFrameSink? Attach(Peer peer) =>
        base.Attach(peer) is { } pipe ? new SinglePartSink(pipe, hasGroup: false, () => Interlocked.Increment(ref _dropped)) : null;

    /// <summary>Sends a message of one frame to the next peer that has room; waits while there is none. The message is taken over.</summary>
    /// <exception cref="ArgumentException">The message has not exactly one frame.</exception>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    protected ValueTask SendSingleAsync(Message message, CancellationToken cancellationToken)
    {
        SinglePart.Check(Type, message);
        return SendCoreAsync(message, cancellationToken);
    }

    /// <summary>Sends a message of one frame when a peer has room now. The message is taken over when the answer is true.</summary>
    /// <exception cref="ArgumentException">The message has not exactly one frame.</exception>
    protected bool TrySendSingle(Message message)
    {
        SinglePart.Check(Type, message);
        return TrySendCore(message);
    }
}

/// <summary>CLIENT: sends requests of one frame to its SERVER peers in turn and receives from all, with no order between the two (41/CLISRV).</summary>
public sealed class ClientSocket(ZmtpOptions? options = null) : SinglePartSocket(SocketType.Client, options)
{
    /// <inheritdoc cref="SinglePartSocket.SendSingleAsync"/>
    public ValueTask SendAsync(Message message, CancellationToken cancellationToken = default) => SendSingleAsync(message, cancellationToken);

    /// <inheritdoc cref="SinglePartSocket.TrySendSingle"/>
    public bool TrySend(Message message) => TrySendSingle(message);

    /// <inheritdoc cref="BalancedSocket.ReceiveCoreAsync"/>
    public ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) => ReceiveCoreAsync(cancellationToken);

    /// <inheritdoc cref="BalancedSocket.TryReceiveCore"/>
    public bool TryReceive([NotNullWhen(true)] out Message? message) => TryReceiveCore(out message);
}

/// <summary>SCATTER: one way, messages of one frame, to its GATHER peers in turn (49/SCATTER-GATHER).</summary>
public sealed class ScatterSocket(ZmtpOptions? options = null) : SinglePartSocket(SocketType.Scatter, options)
{
    /// <inheritdoc cref="SinglePartSocket.SendSingleAsync"/>
    public ValueTask SendAsync(Message message, CancellationToken cancellationToken = default) => SendSingleAsync(message, cancellationToken);

    /// <inheritdoc cref="SinglePartSocket.TrySendSingle"/>
    public bool TrySend(Message message) => TrySendSingle(message);

    private protected override IFrameSink Attach(Peer peer) => new DiscardingSink();
}

/// <summary>GATHER: one way, messages of one frame, from its SCATTER peers in turn (49/SCATTER-GATHER).</summary>
public sealed class GatherSocket(ZmtpOptions? options = null) : SinglePartSocket(SocketType.Gather, options)
{
    /// <inheritdoc cref="BalancedSocket.ReceiveCoreAsync"/>
    public ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) => ReceiveCoreAsync(cancellationToken);

    /// <inheritdoc cref="BalancedSocket.TryReceiveCore"/>
    public bool TryReceive([NotNullWhen(true)] out Message? message) => TryReceiveCore(out message);
}

/// <summary>CHANNEL: one peer, both ways, messages of one frame; a second peer is refused while the first is there (52/CHANNEL).</summary>
public sealed class ChannelSocket(ZmtpOptions? options = null) : SinglePartSocket(SocketType.Channel, options)
{
    /// <inheritdoc cref="SinglePartSocket.SendSingleAsync"/>
    public ValueTask SendAsync(Message message, CancellationToken cancellationToken = default) => SendSingleAsync(message, cancellationToken);

    /// <inheritdoc cref="SinglePartSocket.TrySendSingle"/>
    public bool TrySend(Message message) => TrySendSingle(message);

    /// <inheritdoc cref="BalancedSocket.ReceiveCoreAsync"/>
    public ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) => ReceiveCoreAsync(cancellationToken);

    /// <inheritdoc cref="BalancedSocket.TryReceiveCore"/>
    public bool TryReceive([NotNullWhen(true)] out Message? message) => TryReceiveCore(out message);

    private protected override IFrameSink? Attach(Peer peer) => Peers.Length > 0 ? null : base.Attach(peer);
}
