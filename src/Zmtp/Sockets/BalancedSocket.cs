using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>Sockets that send to their peers in turn and receive from them in turn.</summary>
public abstract class BalancedSocket : ZmtpSocket
{
    private readonly LoadBalancer _out;
    private readonly FairQueue _in;

    private protected BalancedSocket(SocketType type, ZmtpOptions? options)
        : base(type, options) => (_in, _out) = (new FairQueue(Options), new LoadBalancer(Options));

    /// <summary>Sends to the next peer that has room; waits while there is none. The message is taken over, unless it fails.</summary>
    /// <exception cref="TimeoutException">None had room within <see cref="ZmtpOptions.SendTimeout"/>.</exception>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    protected async ValueTask SendCoreAsync(Message message, CancellationToken cancellationToken) => await SendToOneAsync(message, cancellationToken);

    private protected ValueTask<Peer> SendToOneAsync(Message message, CancellationToken cancellationToken) =>
        _out.TrySend(Peers, message) is { } peer ? new(peer) : _out.SendAsync(() => Peers, message, cancellationToken);

    /// <summary>Sends when a peer has room now. The message is taken over when the answer is true.</summary>
    protected bool TrySendCore(Message message) => _out.TrySend(Peers, message) is not null;

    /// <summary>Waits for the next message. The caller owns it and disposes it.</summary>
    /// <exception cref="TimeoutException">None came within <see cref="ZmtpOptions.ReceiveTimeout"/>.</exception>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    protected async ValueTask<Message> ReceiveCoreAsync(CancellationToken cancellationToken) => (await _in.ReceiveAsync(cancellationToken)).Message;

    /// <summary>Takes a message that is here already. The caller owns it and disposes it.</summary>
    protected bool TryReceiveCore([NotNullWhen(true)] out Message? message) => _in.TryReceive(out message, out _);

    private protected ValueTask<(Message Message, Peer Peer)> ReceiveFromAsync(CancellationToken cancellationToken) => _in.ReceiveAsync(cancellationToken);

    private protected override IFrameSink? Attach(Peer peer) => PipeFor(_in, peer);

    internal override ForwardOutcome Forward(in Parcel parcel, FlushBatch batch) =>
        _out.TryForward(Peers, parcel, batch) ? ForwardOutcome.Sent : ForwardOutcome.Full;

    internal override ForwardOutcome TryBegin(in Parcel head, long length, out FrameStream? stream)
    {
        stream = null;
        var peers = Peers;
        var start = _out.NextTurn();
        var (takesPieces, isBusy) = (peers.Length == 0, false);
        for (var i = 0; i < peers.Length; i++)
        {
            var peer = peers[(start + (uint)i) % (uint)peers.Length];
            if (!peer.TakesPieces) continue;
            takesPieces = true;
            if (peer.IsStreaming) continue;
            if (!peer.HasSentAll) isBusy |= peer.IsWritable;
            else if (TryBeginAt(peer, head, length, out stream)) return ForwardOutcome.Sent;
        }

        if (isBusy) return ForwardOutcome.Busy;
        return takesPieces ? ForwardOutcome.Full : ForwardOutcome.NotInPieces;
    }

    private protected override void Attached(Peer peer) => _out.Changed();

    private protected override void Writable(Peer peer) => _out.Changed();

    private protected override void OnDisposed()
    {
        _in.Dispose();
        _out.Close();
    }
}
