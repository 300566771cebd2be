using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Backends.Calling;

/// <summary>
/// A lane of CLIENT, which has no envelope that a SERVER would return, so that nothing tells whose reply one is: one call at a time, and a
/// call that is given up takes its connection along, for the late reply would answer the next call.
/// </summary>
internal sealed class ExclusiveLane(ILaneOwner owner, Peer peer, Circuit circuit) : PeerLane(owner, peer, circuit, maxCalls: 1)
{
    private readonly SingleFrameWriter _single = new(owner.Name);
    private State _state;

    private enum State
    {
        Start,
        Body,
        Skip,
    }

    public override bool Accept(in FramePart part)
    {
        if (_state == State.Start) _state = TryReceive(id: null) ? State.Body : State.Skip;
        var isReady = _state == State.Skip || TakeBody(part);
        if (!part.EndsMessage) return isReady;
        _state = State.Start;
        EndMessage();
        return true;
    }

    protected override bool Write(ulong id, ICall call) =>
        Peer.TryWrite((_single, call), static (s, writer) => s.call.WriteRequest(s._single.Begin(writer, streamFollows: false)));

    protected override bool BeginStream(ulong id, ICall call, out FrameStream? stream) => Peer.TryBeginStream(
        (_single, call), static (s, writer) => s.call.WriteRequest(s._single.Begin(writer, streamFollows: true)), call.StreamedLength,
            out stream);
}
