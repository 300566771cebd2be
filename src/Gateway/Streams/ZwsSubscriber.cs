using System.Buffers.Binary;
using System.Text;
using Gateway.WebSockets;
using Gateway.Zws;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Streams;

/// <summary>
/// A ZeroMQ SUB, XSUB or PULL over WebSocket. The session reads and shakes hands; what it says goes out between messages, which come from the
/// audience's log like those of every other subscriber.
/// </summary>
internal sealed class ZwsSubscriber : FramedSubscriber, IPeerOwner, IFrameSink
{
    // What a session says before messages flow: its handshake.
    private const int MaxWaiting = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly TopicHub _hub;
    private readonly ZwsWishes _wishes;
    private readonly Func<ZwsSubscriber, StreamFormat> _formatOf;
    private readonly MemoryStream _waiting = new();
    private StreamFormat? _format;
    private volatile bool _hasWaiting;

    /// <param name="wishes">What is wanted.</param>
    /// <param name="formatOf">Its format, known when the peer is ready.</param>
    public ZwsSubscriber(
        TopicHub hub, Subscription subscription, SubscriberWire wire, WebSocketTiming timing, Action abort, ZwsWishes wishes, Func<ZwsSubscriber, StreamFormat> formatOf)
        : base(subscription, wire, timing, abort) => (_hub, _wishes, _formatOf) = (hub, wishes, formatOf);

    /// <summary>The session; set before it runs.</summary>
    public WebSocketSession? Session { get; set; }

    /// <summary>Whether a close was sent or waits to be.</summary>
    public bool IsClosing => Control.IsClosing;

    /// <inheritdoc/>
    protected override bool HasControl => _hasWaiting || base.HasControl;

    /// <summary>Takes what the session says, whole frames. Pongs and the close have places of their own, so that they cannot pile up.</summary>
    /// <exception cref="InvalidOperationException">More waits than a handshake has.</exception>
    public void Offer(ReadOnlySpan<byte> frames)
    {
        while (!frames.IsEmpty)
        {
            var length = FrameLength(frames);
            Take(frames[..length]);
            frames = frames[length..];
        }

        Wake();
    }

    /// <inheritdoc/>
    public IFrameSink PeerReady(Peer peer)
    {
        _format = _formatOf(this);
        Join();
        Change();
        return this;
    }

    /// <inheritdoc/>
    public bool PeerSubscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe)
    {
        if (!_wishes.TryChange(topic, subscribe)) return false;
        Change();
        return true;
    }

    /// <inheritdoc/>
    public void PeerWritable(Peer peer)
    {
        // Messages do not go through the session.
    }

    /// <inheritdoc/>
    public void PeerGone(Peer peer)
    {
        // Whoever runs the session sees its end.
    }

    /// <summary>An XSUB may send messages upstream; a stream has nowhere to send them.</summary>
    public bool Accept(in FramePart part) => true;

    /// <inheritdoc/>
    public ValueTask WhenReadyAsync(CancellationToken stopping) => default;

    /// <inheritdoc/>
    public void BatchEnd()
    {
        // Nothing was kept.
    }

    /// <inheritdoc/>
    public void Closed(Exception? reason)
    {
        // Nothing was kept.
    }

    private void Take(ReadOnlySpan<byte> frame)
    {
        var payload = frame[WebSocketFrames.HeaderOfEmpty..];
        switch ((WebSocketOpcode)(frame[0] & 0x0F))
        {
            case WebSocketOpcode.Pong:
                Control.OfferPong(payload);
                break;
            case WebSocketOpcode.Close when payload.Length < sizeof(ushort):
                Close(WebSocketCloseCode.None);
                break;
            case WebSocketOpcode.Close:
                Close((WebSocketCloseCode)BinaryPrimitives.ReadUInt16BigEndian(payload), Encoding.UTF8.GetString(payload[sizeof(ushort)..]));
                break;
            default:
                lock (_gate)
                {
                    if (_waiting.Length + frame.Length > MaxWaiting) throw new InvalidOperationException("More waits for the client than a handshake has.");
                    _waiting.Write(frame);
                    _hasWaiting = true;
                }

                break;
        }
    }

    /// <summary>Bytes of a frame of the session's, which are whole, not masked, and short but for their kind's own limits.</summary>
    private static int FrameLength(ReadOnlySpan<byte> frame) => frame[1] switch
    {
        126 => 4 + BinaryPrimitives.ReadUInt16BigEndian(frame[2..]),
        127 => 10 + (int)BinaryPrimitives.ReadInt64BigEndian(frame[2..]),
        var length => WebSocketFrames.HeaderOfEmpty + length,
    };

    /// <inheritdoc/>
    protected override Subscription Resubscribe(Subscription present, out long end) => _hub.Resubscribe(present, _format!, _wishes.Filters(), out end);

    /// <inheritdoc/>
    protected override ReadOnlyMemory<byte> TakeControl(out bool ends)
    {
        byte[] said = [];
        lock (_gate)
        {
            if (_hasWaiting)
            {
                said = _waiting.ToArray();
                _waiting.SetLength(0);
                _hasWaiting = false;
            }
        }

        var control = base.TakeControl(out ends);
        return said.Length == 0 ? control : (byte[])[.. said, .. control.Span];
    }

    /// <inheritdoc/>
    protected override void Ping()
    {
        // libzmq without a mechanism answers no ping; such a peer is judged by its writes and by TCP.
        if (Session!.IsBare) OnAlive();
        else base.Ping();
    }
}

/// <summary>The connection as the session of a subscriber sees it: it reads, and what it says waits for its turn between messages.</summary>
internal sealed class ZwsSubscriberLink(Stream stream, string remote, Action abort, ZwsSubscriber subscriber) : HttpLink(stream, remote, abort)
{
    /// <inheritdoc/>
    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = await base.ReceiveAsync(buffer, cancellationToken);
        subscriber.OnAlive();
        return count;
    }

    /// <inheritdoc/>
    public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        subscriber.Offer(buffer.Span);
        return new(buffer.Length);
    }
}
