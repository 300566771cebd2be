using System.Buffers;
using Zmtp.Sockets;

namespace Gateway.Tests.TestSupport;

/// <summary>Keeps the frames of one message.</summary>
internal sealed class RecordingFrameWriter : IFrameWriter
{
    private readonly List<byte[]> _frames = [];

    public IReadOnlyList<byte[]> Frames => _frames;

    /// <summary>What the last frame said about frames to follow.</summary>
    public bool More { get; private set; } = true;

    public void WriteFrame(ReadOnlySpan<byte> body, bool more)
    {
        Assert.True(More);
        _frames.Add(body.ToArray());
        More = more;
    }

    public void WriteFrame(in ReadOnlySequence<byte> body, bool more) => WriteFrame(body.ToArray(), more);
}
