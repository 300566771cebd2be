using System.Buffers;
using Zmtp.Sockets;

namespace Gateway.Backends.Calling;

/// <summary>Lets one frame through and refuses the second: a CLIENT's message has one.</summary>
/// <remarks>Used again for each message of a connection that carries one call at a time.</remarks>
internal sealed class SingleFrameWriter(string backend) : IFrameWriter
{
    private IFrameWriter? _inner;
    private bool _written;

    /// <summary>Begins a message.</summary>
    /// <param name="inner">Gets the frame.</param>
    /// <param name="streamFollows">Whether the one frame follows as a stream, so that none may come before it.</param>
    public SingleFrameWriter Begin(IFrameWriter inner, bool streamFollows)
    {
        (_inner, _written) = (inner, streamFollows);
        return this;
    }

    /// <inheritdoc/>
    public void WriteFrame(ReadOnlySpan<byte> body, bool more)
    {
        Check(more);
        _inner!.WriteFrame(body, more);
    }

    /// <inheritdoc/>
    public void WriteFrame(in ReadOnlySequence<byte> body, bool more)
    {
        Check(more);
        _inner!.WriteFrame(body, more);
    }

    private void Check(bool more)
    {
        if (_written || more) throw new BackendException(400, "not-one-frame", $"Backend '{backend}' is a CLIENT: a request has one frame, and this one has several.");
        _written = true;
    }
}
