using Gateway.Templates;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Zws;

/// <summary>One ZeroMQ peer over WebSocket that sends messages: puts them together and hands them on whole. The session's read loop calls.</summary>
/// <param name="maxMessageBytes">Largest message; the engine has refused larger ones already.</param>
internal abstract class ZwsPeer(long maxMessageBytes) : IPeerOwner, IFrameSink
{
    private readonly PooledBuffer _pieces = new();
    private Message? _message;
    private volatile TaskCompletionSource? _writable;

    /// <summary>The session; set before it runs.</summary>
    public WebSocketSession Session { get; set; } = null!;

    /// <summary>The peer, once it is ready.</summary>
    protected Peer Peer { get; private set; } = null!;

    /// <inheritdoc/>
    public IFrameSink PeerReady(Peer peer)
    {
        Peer = peer;
        Ready();
        return this;
    }

    /// <inheritdoc/>
    public void PeerWritable(Peer peer) => _writable?.TrySetResult();

    /// <inheritdoc/>
    public void PeerGone(Peer peer) => _writable?.TrySetResult();

    /// <inheritdoc/>
    public bool PeerSubscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe) => true;

    /// <inheritdoc/>
    public bool Accept(in FramePart part)
    {
        _message ??= Message.Create();
        if (part.IsWhole)
        {
            _message.Add(part.Bytes);
        }
        else
        {
            if (_pieces.Length + (long)part.Bytes.Length > maxMessageBytes) throw new ZmtpProtocolException(ProtocolError.FrameTooLarge);
            part.Bytes.CopyTo(_pieces.GetSpan(part.Bytes.Length));
            _pieces.Advance(part.Bytes.Length);
            if (part.IsLast)
            {
                _message.Add(_pieces.Written);
                _pieces.Reset();
            }
        }

        if (!part.EndsMessage) return true;
        var message = _message;
        _message = null;
        return Take(message);
    }

    /// <inheritdoc/>
    public abstract ValueTask WhenReadyAsync(CancellationToken stopping);

    /// <inheritdoc/>
    public void BatchEnd()
    {
        // Every message was handed on when it ended.
    }

    /// <inheritdoc/>
    public virtual void Closed(Exception? reason)
    {
        _message?.Dispose();
        _pieces.Reset();
    }

    /// <summary>Completes when nothing of the peer's is under way any more.</summary>
    public abstract Task EndedAsync();

    /// <summary>The peer is ready.</summary>
    protected virtual void Ready()
    {
    }

    /// <summary>Takes a message over.</summary>
    /// <returns>False to pause until <see cref="WhenReadyAsync"/>.</returns>
    protected abstract bool Take(Message message);

    /// <summary>Sends a message, waiting while the peer has its high-water mark of them; then the message is dropped if the peer is gone.</summary>
    protected async ValueTask SendAsync(Message message, CancellationToken gone)
    {
        while (!gone.IsCancellationRequested)
        {
            // Before the attempt, so that a wake-up between the two is not missed.
            var writable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _writable = writable;
            if (Peer.TrySend(message, deferFlush: true)) return;
            await writable.Task.WaitAsync(gone);
        }
    }
}
