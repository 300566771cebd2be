using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>DEALER: sends to its peers in turn and receives from all, with no order between the two (28/REQREP).</summary>
public sealed class DealerSocket(ZmtpOptions? options = null) : BalancedSocket(SocketType.Dealer, options)
{
    /// <inheritdoc cref="BalancedSocket.SendCoreAsync"/>
    public ValueTask SendAsync(Message message, CancellationToken cancellationToken = default) => SendCoreAsync(message, cancellationToken);

    /// <inheritdoc cref="BalancedSocket.TrySendCore"/>
    public bool TrySend(Message message) => TrySendCore(message);

    /// <inheritdoc cref="BalancedSocket.ReceiveCoreAsync"/>
    public ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) => ReceiveCoreAsync(cancellationToken);

    /// <inheritdoc cref="BalancedSocket.TryReceiveCore"/>
    public bool TryReceive([NotNullWhen(true)] out Message? message) => TryReceiveCore(out message);
}

/// <summary>PUSH: one way, to its peers in turn (30/PIPELINE).</summary>
public sealed class PushSocket(ZmtpOptions? options = null) : BalancedSocket(SocketType.Push, options)
{
    /// <inheritdoc cref="BalancedSocket.SendCoreAsync"/>
    public ValueTask SendAsync(Message message, CancellationToken cancellationToken = default) => SendCoreAsync(message, cancellationToken);

    /// <inheritdoc cref="BalancedSocket.TrySendCore"/>
    public bool TrySend(Message message) => TrySendCore(message);

    private protected override IFrameSink Attach(Peer peer) => new DiscardingSink();
}

/// <summary>PULL: one way, from its peers in turn (30/PIPELINE).</summary>
public sealed class PullSocket(ZmtpOptions? options = null) : BalancedSocket(SocketType.Pull, options)
{
    /// <inheritdoc cref="BalancedSocket.ReceiveCoreAsync"/>
    public ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) => ReceiveCoreAsync(cancellationToken);

    /// <inheritdoc cref="BalancedSocket.TryReceiveCore"/>
    public bool TryReceive([NotNullWhen(true)] out Message? message) => TryReceiveCore(out message);
}

/// <summary>PAIR: one peer, both ways; a second one is refused while the first is there (31/EXPAIR).</summary>
public sealed class PairSocket(ZmtpOptions? options = null) : BalancedSocket(SocketType.Pair, options)
{
    /// <inheritdoc cref="BalancedSocket.SendCoreAsync"/>
    public ValueTask SendAsync(Message message, CancellationToken cancellationToken = default) => SendCoreAsync(message, cancellationToken);

    /// <inheritdoc cref="BalancedSocket.TrySendCore"/>
    public bool TrySend(Message message) => TrySendCore(message);

    /// <inheritdoc cref="BalancedSocket.ReceiveCoreAsync"/>
    public ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default) => ReceiveCoreAsync(cancellationToken);

    /// <inheritdoc cref="BalancedSocket.TryReceiveCore"/>
    public bool TryReceive([NotNullWhen(true)] out Message? message) => TryReceiveCore(out message);

    private protected override IFrameSink? Attach(Peer peer) => Peers.Length > 0
        ? Refuse(peer, $"{peer.Remote} was refused: a PAIR socket takes one peer, and {Peers[0].Remote} is there.")
        : base.Attach(peer);
}
