using System.IO.Pipelines;
using System.Text;
using Gateway.Backends;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.TestSupport;

/// <summary>A call of one body frame that keeps the reply's frames.</summary>
internal sealed class RecordingCall(string body) : ICall
{
    private readonly List<byte> _frame = [];

    public List<string> Reply { get; } = [];

    public int Written { get; private set; }

    /// <summary>How many frames the request has, all of them the body.</summary>
    public int Frames { get; init; } = 1;

    public long StreamedLength { get; init; } = -1;

    public PipeReader StreamedBody { get; init; } = PipeReader.Create(Stream.Null);

    public void WriteRequest(IFrameWriter writer)
    {
        Written++;
        for (var i = 1; i < Frames; i++) writer.WriteFrame(Encoding.UTF8.GetBytes(body), more: true);
        if (StreamedLength < 0) writer.WriteFrame(Encoding.UTF8.GetBytes(body), more: false);
        else if (body.Length > 0) writer.WriteFrame(Encoding.UTF8.GetBytes(body), more: true);
    }

    public bool Accept(in FramePart part)
    {
        _frame.AddRange(part.Bytes);
        if (!part.IsLast) return true;
        Reply.Add(Encoding.UTF8.GetString([.. _frame]));
        _frame.Clear();
        return true;
    }

    public ValueTask WhenReadyAsync(CancellationToken stopping) => default;
}
