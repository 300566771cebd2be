using System.Buffers.Binary;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Backends.Calling;

/// <summary>
/// A lane of REQ and DEALER. Requests carry the REQ envelope <c>[id, 8 bytes][empty]</c>, which REP and ROUTER peers return, so many are in
/// flight at once and replies match in any order.
/// </summary>
internal sealed class MultiplexedLane(ILaneOwner owner, Peer peer, Circuit circuit) : PeerLane(owner, peer, circuit, maxCalls: 0)
{
    private const int IdSize = 8;
    private State _state;

    private enum State
    {
        Id,
        Delimiter,
        Body,
        Skip,
    }

    public override bool Accept(in FramePart part)
    {
        switch (_state)
        {
            case State.Id:
                Begin(part);
                break;
            case State.Delimiter when part is { IsWhole: true, More: true } && part.Bytes.IsEmpty:
                _state = State.Body;
                break;
            case State.Delimiter:
                _state = State.Skip;
                EndWithBadReply(
                    "without its envelope: a service must send back the frames before the empty one, and the empty one, untouched.");
                break;
            case State.Body when !part.EndsMessage:
                return TakeBody(part);
            case State.Body:
                TakeBody(part);
                break;
            default:
                break;
        }

        if (!part.EndsMessage) return true;
        _state = State.Id;
        EndMessage();
        return true;
    }

    // At few calls in flight send at once; at many, let others join first: one system call for all.
    protected override bool Write(ulong id, ICall call) =>
        Peer.TryWrite((id, call), static (s, writer) => WriteRequest(s.id, s.call, writer), deferFlush: InFlight > 2);

    protected override bool BeginStream(ulong id, ICall call, out FrameStream? stream) =>
        Peer.TryBeginStream((id, call), static (s, writer) => WriteRequest(s.id, s.call, writer), call.StreamedLength, out stream);

    private static void WriteRequest(ulong id, ICall call, IFrameWriter writer)
    {
        Span<byte> frame = stackalloc byte[IdSize];
        BinaryPrimitives.WriteUInt64BigEndian(frame, id);
        writer.WriteFrame(frame, more: true);
        writer.WriteFrame([], more: true);
        call.WriteRequest(writer);
    }

    private void Begin(in FramePart part)
    {
        _state = State.Skip;
        if (!part.IsWhole || !part.More || part.Bytes.Length != IdSize) Owner.BadEnvelope();
        else if (TryReceive(BinaryPrimitives.ReadUInt64BigEndian(part.Bytes))) _state = State.Delimiter;
    }
}
