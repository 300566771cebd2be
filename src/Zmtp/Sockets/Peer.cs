using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>The other end of one ready connection: what it is, and the way to send to it. What it sends comes through its <see cref="IFrameSink"/>.</summary>
/// <remarks>All members may be called from any thread.</remarks>
public abstract class Peer
{
    private long _messagesIn;
    private long _messagesOut;
    private long _bytesIn;
    private long _bytesOut;

    /// <summary>The endpoint, as configured, over which the peer came.</summary>
    public abstract string Endpoint { get; }

    /// <summary>The peer's address.</summary>
    public abstract string Remote { get; }

    /// <summary>Whether we connected to the peer; false when it connected to us.</summary>
    public abstract bool IsOutgoing { get; }

    /// <summary>The peer's socket type.</summary>
    public SocketType Type { get; protected set; }

    /// <summary>The identity that the peer announced; empty for none.</summary>
    public byte[] Identity { get; protected set; } = [];

    /// <summary>Who the peer is, as the authenticator said; empty for a peer that nobody was asked about. Never what the peer itself claims.</summary>
    public string UserId { get; protected set; } = "";

    /// <summary>All properties that the peer announced, those that the authenticator added, and <c>User-Id</c> where there is one.</summary>
    public Metadata Properties { get; protected set; } = new();

    /// <summary>For the owner of the peer to keep its own state with it.</summary>
    public object? Tag { get; set; }

    /// <summary>Messages received.</summary>
    public long MessagesIn => Volatile.Read(ref _messagesIn);

    /// <summary>Messages handed over for sending.</summary>
    public long MessagesOut => Volatile.Read(ref _messagesOut);

    /// <summary>Bytes received, framing included.</summary>
    public long BytesIn => Volatile.Read(ref _bytesIn);

    /// <summary>Bytes sent, framing included.</summary>
    public long BytesOut => Volatile.Read(ref _bytesOut);

    /// <summary>Whether a message would be taken now: the connection is open and below its send high-water marks.</summary>
    public abstract bool IsWritable { get; }

    /// <summary>A property of the peer by libzmq's names: <c>Socket-Type</c>, <c>Identity</c>, <c>Routing-Id</c>, <c>User-Id</c>, <c>Peer-Address</c>, and what it announced itself (<c>X-…</c>); null for none.</summary>
    public string? Property(string name) => name switch
    {
        "Socket-Type" => Type.Name(),
        "User-Id" => UserId,
        "Peer-Address" => Remote,
        "Identity" or "Routing-Id" => System.Text.Encoding.UTF8.GetString(Identity),
        _ => Properties[name] is { } value ? System.Text.Encoding.UTF8.GetString(value) : null,
    };

    /// <summary>Queues one message, whole or not at all, in the order of the calls.</summary>
    /// <param name="state">Handed to <paramref name="write"/>, so that no closure is needed.</param>
    /// <param name="write">Writes the frames under the queue's lock: it must be short, not wait and not call back into the peer. When it throws, nothing is queued.</param>
    /// <param name="deferFlush">True to send from a work item a moment later, together with what others queue meanwhile; false to send from here if nobody is sending.</param>
    /// <returns>False at a high-water mark, or when the connection is closed.</returns>
    public abstract bool TryWrite<TState>(TState state, Action<TState, IFrameWriter> write, bool deferFlush = false);

    /// <summary>Queues the first frames of a message whose last frame is then streamed. Other messages wait until the stream ends.</summary>
    /// <param name="length">Bytes of the streamed frame, which must then be written exactly.</param>
    /// <param name="stream">Takes the bytes. It must be completed or disposed; disposing an unfinished one closes the connection, for a frame cannot be taken back.</param>
    /// <returns>False at a high-water mark, while another stream is open, or when the connection is closed.</returns>
    public abstract bool TryBeginStream<TState>(TState state, Action<TState, IFrameWriter> write, long length, [NotNullWhen(true)] out FrameStream? stream);

    /// <summary>Sends a message, by reference where that saves a copy. The caller keeps its own reference.</summary>
    /// <returns>As <see cref="TryWrite"/>.</returns>
    public virtual bool TrySend(Message message, bool deferFlush = false) =>
        TryWrite(message, static (m, writer) => m.WriteTo(writer), deferFlush);

    /// <summary>Subscribes at a PUB or XPUB peer: as a command, or as a message to a peer of ZMTP 3.0. Exempt from the high-water marks.</summary>
    /// <remarks>
    /// A peer for which 4 MiB of changes wait, because it does not read, is disconnected: the owner says all that it wants when the peer is
    /// ready again.
    /// </remarks>
    public abstract void SendSubscription(ReadOnlySpan<byte> topic, bool subscribe);

    /// <summary>Closes the connection at once. What is queued is lost.</summary>
    /// <param name="reason">Why, for the log and the endpoint's state.</param>
    public abstract void Abort(Exception reason);

    /// <summary>Completes when everything queued so far was handed to the system, or the connection is gone.</summary>
    public abstract Task FlushedAsync();

    /// <summary>Queues one message and does not send it: the batch is flushed when there is nothing more to queue at the moment.</summary>
    /// <returns>False at a high-water mark, or when the connection is closed.</returns>
    internal abstract bool TryQueue(in Parcel parcel, FlushBatch batch);

    /// <summary>Queues as <see cref="TryQueue"/>. A queue that is full only because nothing was sent yet is sent first.</summary>
    internal bool TryForward(in Parcel parcel, FlushBatch batch)
    {
        if (TryQueue(parcel, batch)) return true;
        Flush();
        return TryQueue(parcel, batch);
    }

    /// <summary>Whether a frame can be sent while it arrives; not so where frames are handed over or sealed as a whole.</summary>
    internal abstract bool TakesPieces { get; }

    /// <summary>
    /// Whether a frame is being streamed to it: what is queued meanwhile waits for the frame's end, and is lost if that never comes.
    /// </summary>
    internal virtual bool IsStreaming => false;

    /// <summary>Whether all that was queued has left, after one attempt to send it.</summary>
    internal bool HasSentAll
    {
        get
        {
            Flush();
            return FlushedAsync().IsCompleted;
        }
    }

    /// <summary>Sends what <see cref="TryQueue"/> has queued, if nobody else is sending.</summary>
    internal abstract void Flush();

    /// <summary>Messages that were queued and not sent when the connection ended.</summary>
    internal long MessagesLost { get; private protected set; }

    /// <summary>Where the messages of the peer go.</summary>
    internal IncomingPipe? Incoming { get; set; }

    /// <summary>Whether it is we who end the connection.</summary>
    internal bool IsLeaving { get; set; }

    /// <summary>Whether the peer has left messages waiting for so long that nobody waits for it any more; taking one ends that.</summary>
    internal bool IsStuck { get; set; }

    /// <summary>Takes nothing more; what is queued still goes out.</summary>
    internal abstract void Finish();

    internal void CountIn(long bytes) => _bytesIn += bytes;

    internal void CountMessageIn() => _messagesIn++;

    internal void CountMessageOut() => _messagesOut++;

    internal void CountOut(long bytes) => _bytesOut += bytes;
}
