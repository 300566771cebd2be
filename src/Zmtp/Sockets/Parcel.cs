namespace Zmtp.Sockets;

/// <summary>A message on its way from one socket to another: frames in pooled memory and, behind them, one that still lies in the receive buffer.</summary>
/// <remarks>The last frame, which is nearly always the body, is copied once: from the receive buffer into the target's output.</remarks>
internal readonly ref struct Parcel
{
    public Parcel(Message head, int from)
    {
        (Head, From) = (head, from);
    }

    public Parcel(Message head, int from, ReadOnlySpan<byte> tail)
        : this(head, from)
    {
        Tail = tail;
        HasTail = true;
    }

    /// <summary>Holds the frames but the last, or all.</summary>
    public Message Head { get; }

    /// <summary>Index of the first frame of <see cref="Head"/> that belongs to the parcel.</summary>
    public int From { get; }

    /// <summary>The last frame, valid during the call.</summary>
    public ReadOnlySpan<byte> Tail { get; }

    public bool HasTail { get; }

    public int Count => Head.Count - From + (HasTail ? 1 : 0);

    public long Length
    {
        get
        {
            long skipped = 0;
            for (var i = 0; i < From; i++) skipped += Head[i].Length;
            return Head.Length - skipped + Tail.Length;
        }
    }

    public ReadOnlySpan<byte> First => From < Head.Count ? Head[From].Span : Tail;

    /// <summary>The same without its first frame, which is not the tail.</summary>
    public Parcel WithoutFirst() => HasTail ? new Parcel(Head, From + 1, Tail) : new Parcel(Head, From + 1);

    /// <summary>Writes the frames.</summary>
    /// <param name="moreFollow">Whether the last one has further frames behind it, which somebody else writes.</param>
    public void WriteTo(IFrameWriter writer, bool moreFollow)
    {
        for (var i = From; i < Head.Count; i++) writer.WriteFrame(Head[i].Span, i < Head.Count - 1 || HasTail || moreFollow);
        if (HasTail) writer.WriteFrame(Tail, moreFollow);
    }

    /// <summary>The same as a message of its own.</summary>
    public Message ToMessage()
    {
        var message = Message.Create();
        WriteTo(message, moreFollow: false);
        return message;
    }
}

/// <summary>What became of a message that one socket was to take over from another.</summary>
internal enum ForwardOutcome
{
    /// <summary>Queued; for publishers, to everybody who wanted it and had room.</summary>
    Sent,

    /// <summary>No room now: <see cref="ZmtpSocket.Changed"/> tells when to try again.</summary>
    Full,

    /// <summary>The pattern drops it: nobody has that identity.</summary>
    Dropped,

    /// <summary>
    /// Only of a frame that was to be streamed: there is room, and everybody who has it still waits for messages queued before, which a
    /// broken frame would take along.
    /// </summary>
    Busy,

    /// <summary>Only of a frame that was to be streamed: this socket takes whole messages.</summary>
    NotInPieces,
}

/// <summary>Peers that got messages and were not flushed yet: one send for all that a read loop found in its buffer.</summary>
internal sealed class FlushBatch
{
    private readonly List<Peer> _peers = [];

    /// <summary>Notes a peer; called once for each until it is flushed.</summary>
    public void Add(Peer peer) => _peers.Add(peer);

    /// <summary>Sends what was queued.</summary>
    public void Flush()
    {
        if (_peers.Count == 0) return;
        foreach (var peer in _peers) peer.Flush();
        _peers.Clear();
    }
}
