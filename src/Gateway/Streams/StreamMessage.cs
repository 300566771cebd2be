namespace Gateway.Streams;

/// <summary>One message as it lies in the receive buffer or in its assembly; valid while it is handed on.</summary>
internal readonly ref struct StreamMessage
{
    private readonly MessageAssembly? _earlier;
    private readonly FrameBytes _last;

    /// <summary>A message of one frame, which lies in one piece.</summary>
    public StreamMessage(ReadOnlySpan<byte> only)
    {
        _last = new FrameBytes(only);
        FrameCount = 1;
    }

    /// <summary>A message whose frames but the last were copied into an assembly.</summary>
    public StreamMessage(MessageAssembly earlier, scoped in FrameBytes last)
    {
        _earlier = earlier;
        _last = last;
        FrameCount = earlier.FrameCount + 1;
    }

    /// <summary>Number of frames, at least 1.</summary>
    public int FrameCount { get; }

    /// <summary>A frame.</summary>
    public FrameBytes Frame(int index) => index == FrameCount - 1 ? _last : _earlier!.Frame(index);
}
