using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>Collects one peer's parts into messages and keeps them until they are taken. At a high-water mark the peer is not read.</summary>
/// <param name="queue">Told of each message.</param>
/// <param name="peer">Whose messages they are.</param>
/// <param name="prefix">A frame put in front of every message (ROUTER: the identity), or null.</param>
/// <param name="filter">Keeps a message or drops it (SUB), or null.</param>
internal sealed class InPipe(FairQueue queue, Peer peer, byte[]? prefix = null, Func<Message, bool>? filter = null) : IncomingPipe
{
    private readonly Lock _gate = new();
    private readonly Queue<Message> _messages = new();
    private Message? _unfinished;
    private TaskCompletionSource? _room;
    private long _bytes;

    public Peer Peer { get; } = peer;

    public override bool Accept(in FramePart part)
    {
        if (_unfinished is null)
        {
            _unfinished = Message.Create();
            if (prefix is not null) _unfinished.Add(prefix);
        }

        if (_unfinished.Length + (long)part.Bytes.Length > Array.MaxLength) throw new ZmtpProtocolException(ProtocolError.FrameTooLarge, "a message above 2 GiB");
        _unfinished.AppendBytes(part.Bytes);
        if (part.IsLast) _unfinished.EndFrame();
        if (!part.EndsMessage) return true;
        var message = _unfinished;
        _unfinished = null;
        if (filter is null || filter(message)) return Enqueue(message);
        message.Dispose();
        return true;
    }

    /// <inheritdoc/>
    public override bool Enqueue(Message message)
    {
        bool wasEmpty, room;
        lock (_gate)
        {
            wasEmpty = _messages.Count == 0;
            if (!wasEmpty && queue.Options.Conflate)
            {
                // The newer one takes its place, and its turn at the receiver.
                var older = _messages.Dequeue();
                _bytes += message.Length - older.Length;
                older.Dispose();
                _messages.Enqueue(message);
                return true;
            }

            _messages.Enqueue(message);
            _bytes += message.Length;
            room = HasRoom(1);
            if (!room) _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        queue.Queued(this, wasEmpty);
        return room;
    }

    public override async ValueTask WhenReadyAsync(CancellationToken stopping)
    {
        Task? room;
        lock (_gate) room = _room?.Task;
        if (room is not null) await room.WaitAsync(stopping);
    }

    public override void BatchEnd()
    {
        // Each message has woken its receiver already.
    }

    public override void Closed(Exception? reason)
    {
        _unfinished?.Dispose();
        _unfinished = null;
    }

    public Message Take(out bool hasMore)
    {
        TaskCompletionSource? room = null;
        Message message;
        lock (_gate)
        {
            message = _messages.Dequeue();
            _bytes -= message.Length;
            hasMore = _messages.Count > 0;
            // Half way down, so that reading and taking do not alternate message by message.
            if (_room is not null && HasRoom(2)) (room, _room) = (_room, null);
        }

        room?.TrySetResult();
        return message;
    }

    private bool HasRoom(int part) =>
        _messages.Count <= queue.Options.HighestUnread / part - (part == 1 ? 1 : 0) && (_bytes <= queue.Options.HighestUnreadBytes / part || _messages.Count == 0);
}
