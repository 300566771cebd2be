using System.Buffers;
using Zmtp.Sockets;

namespace Gateway.Templates;

/// <summary>The frames of one message, ready to be written as often as needed. Literals and the body stay where they are; only the rest is copied.</summary>
/// <remarks>Reused from message to message by its owner; the body's bytes must live until <see cref="Reset"/>.</remarks>
internal sealed class RequestFrames
{
    private readonly List<Slice> _slices = [];
    private readonly PooledBuffer _buffer = new();
    private ReadOnlySequence<byte> _body;

    /// <summary>Frames so far.</summary>
    public int Count => _slices.Count;

    /// <summary>Where the bytes of a frame are put together; <see cref="AddWritten"/> makes them one.</summary>
    public PooledBuffer Buffer => _buffer;

    /// <summary>Adds a frame of fixed bytes.</summary>
    public void AddLiteral(byte[] literal) => _slices.Add(new Slice(literal, 0, literal.Length));

    /// <summary>Adds the body as a frame.</summary>
    public void AddBody(in ReadOnlySequence<byte> body)
    {
        _body = body;
        _slices.Add(new Slice(Literal: null, Start: -1, Length: 0));
    }

    /// <summary>Adds what was written to <see cref="Buffer"/> since <paramref name="start"/> as a frame.</summary>
    public void AddWritten(int start) => _slices.Add(new Slice(Literal: null, start, _buffer.Length - start));

    /// <summary>Writes the frames; repeatable.</summary>
    /// <param name="moreFollow">Whether another frame is sent after these.</param>
    public void WriteTo(IFrameWriter writer, bool moreFollow = false)
    {
        for (var i = 0; i < _slices.Count; i++)
        {
            var slice = _slices[i];
            var more = moreFollow || i < _slices.Count - 1;
            if (slice.Literal is { } literal) writer.WriteFrame(literal, more);
            else if (slice.Start >= 0) writer.WriteFrame(_buffer.Written.Slice(slice.Start, slice.Length), more);
            else if (_body.IsSingleSegment) writer.WriteFrame(_body.FirstSpan, more);
            else writer.WriteFrame(_body, more);
        }
    }

    /// <summary>Forgets the frames.</summary>
    public void Reset()
    {
        _slices.Clear();
        _buffer.Reset();
        _body = default;
    }

    private readonly record struct Slice(byte[]? Literal, int Start, int Length);
}
