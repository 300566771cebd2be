using Zmtp.Sockets;

namespace Gateway.Backends.Calling;

/// <summary>One connection that carries calls, as the pool sees it.</summary>
internal interface ILane
{
    /// <summary>Who ends its calls.</summary>
    ILaneOwner Owner { get; }

    /// <summary>The connection.</summary>
    Peer Peer { get; }

    /// <summary>The circuit of the endpoint.</summary>
    Circuit Circuit { get; }

    /// <summary>Calls that wait for their reply here.</summary>
    int InFlight { get; }

    /// <summary>
    /// Whether a call may be handed over now: the lane is open, has room and carries no transfer. A hint; handing over decides.
    /// </summary>
    bool TakesCalls { get; }

    /// <summary>Whether nothing at all is under way, so that a transfer may have the lane for itself. A hint as well.</summary>
    bool IsIdle { get; }

    /// <summary>Enters the call into the table and sends its request.</summary>
    /// <exception cref="BackendException">The request cannot be written; nothing is sent and the call is the dispatcher's.</exception>
    HandOver TrySend(PendingCall call);

    /// <summary>As <see cref="TrySend"/> for a request whose last frame is streamed.</summary>
    /// <param name="alone">Whether the lane has to be idle and then takes no calls until <see cref="EndTransfer"/>; else calls share it and
    /// wait in its queue.</param>
    /// <param name="stream">Takes the frame's bytes; set when Sent.</param>
    HandOver TryBeginTransfer(PendingCall call, bool alone, out FrameStream? stream);

    /// <summary>The streamed frame has gone, or was given up: from now on its reply is waited for.</summary>
    /// <param name="id">Of the call. Nothing happens to the table when it is no longer there.</param>
    void EndTransfer(ulong id, long deadline);

    /// <summary>Takes the call of this id out before its reply has begun: who gets it has to end it.</summary>
    PendingCall? TryTake(ulong id);

    /// <summary>Takes out all calls whose deadline has passed.</summary>
    void TakeExpired(long now, List<PendingCall> expired);

    /// <summary>
    /// Whether, at some time since, the lane could not answer for a reason of ours: a reply that its client did not take, an upload that
    /// its client did not send.
    /// </summary>
    bool WasHeldSince(long timestamp);

    /// <summary>A lane that waits for a slow client is needed: it puts the rest of that reply aside and goes on.</summary>
    void Relieve();
}

/// <summary>What a lane tells the backend that it belongs to.</summary>
internal interface ILaneOwner
{
    /// <summary>Name of the backend.</summary>
    string Name { get; }

    TimeProvider Time { get; }

    /// <summary>Replies that are put aside for slow clients.</summary>
    ReplyStore Replies { get; }

    /// <summary>Ends a call that the lane has taken from its table.</summary>
    /// <param name="failure">Null when the call was answered.</param>
    void End(PendingCall call, CallEnd end, Exception? failure);

    /// <summary>The lane can take calls again, or is idle.</summary>
    void LaneIsFree(ILane lane);

    /// <summary>The lane waits for a slow client and takes no calls meanwhile.</summary>
    void LaneIsPaused(ILane lane);

    /// <summary>A reply came whose call is over.</summary>
    void LateReply(ILane lane);

    /// <summary>A message came that is no reply.</summary>
    void BadEnvelope();
}
