using System.Buffers;

namespace Zmtp.Sockets;

/// <summary>Takes the frames of one message, in order. The bytes are copied or handed over before a call returns.</summary>
public interface IFrameWriter
{
    /// <summary>Adds a frame.</summary>
    /// <param name="body">0 to <see cref="int.MaxValue"/> bytes.</param>
    /// <param name="more">Whether further frames of the message follow; exactly the last frame says false.</param>
    void WriteFrame(ReadOnlySpan<byte> body, bool more);

    /// <summary>Adds a frame whose bytes lie in several pieces.</summary>
    void WriteFrame(in ReadOnlySequence<byte> body, bool more);
}
