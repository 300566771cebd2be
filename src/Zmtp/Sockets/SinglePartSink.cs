using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>
/// Lets messages of one frame through, or of a group and one frame for DISH, and drops all others whole, as the thread-safe sockets do
/// (41/CLISRV, 48/RADIO-DISH, 49/SCATTER-GATHER, 51/P2P, 52/CHANNEL). Nothing of a dropped message is kept or shown.
/// </summary>
/// <param name="inner">Gets what is let through.</param>
/// <param name="hasGroup">Whether a group frame of at most 255 bytes comes first.</param>
/// <param name="dropped">Called for each message that was dropped, from the peer's read loop.</param>
public sealed class SinglePartSink(IFrameSink inner, bool hasGroup, Action dropped) : IFrameSink
{
    // The group waits here until the next frame says whether it is the last: only then the message is one to let through.
    private readonly byte[] _group = hasGroup ? new byte[RadioSocket.MaxGroupLength] : [];
    private int _groupLength = -1;
    private State _state;

    private enum State
    {
        Start,
        Body,
        Skip,
    }

    /// <inheritdoc/>
    public bool Accept(in FramePart part)
    {
        if (_state == State.Start) Begin(part);
        if (_state == State.Skip)
        {
            if (part.EndsMessage) EndSkipped();
            return true;
        }

        if (_state == State.Start) return true;
        var ready = true;
        if (_groupLength >= 0)
        {
            ready = inner.Accept(new FramePart(_group.AsSpan(0, _groupLength), _groupLength, isFirst: true, isLast: true, more: true));
            _groupLength = -1;
        }

        ready &= inner.Accept(part);
        if (part.EndsMessage) _state = State.Start;
        return ready;
    }

    /// <inheritdoc/>
    public ValueTask WhenReadyAsync(CancellationToken stopping) => inner.WhenReadyAsync(stopping);

    /// <inheritdoc/>
    public void BatchEnd() => inner.BatchEnd();

    /// <inheritdoc/>
    public void Closed(Exception? reason) => inner.Closed(reason);

    private void Begin(in FramePart part)
    {
        var isGroup = hasGroup && _groupLength < 0;
        if (isGroup && part is { IsWhole: true, More: true } && part.Bytes.Length <= _group.Length)
        {
            part.Bytes.CopyTo(_group);
            _groupLength = part.Bytes.Length;
            return;
        }

        _state = isGroup || part.More ? State.Skip : State.Body;
    }

    private void EndSkipped()
    {
        (_state, _groupLength) = (State.Start, -1);
        dropped();
    }
}
