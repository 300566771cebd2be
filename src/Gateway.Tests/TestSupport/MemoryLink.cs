using System.Buffers;
using System.IO.Pipelines;
using Zmtp.Transports;

namespace Gateway.Tests.TestSupport;

/// <summary>Two ends of a connection in memory that splits what is read and stops what is written at a window.</summary>
internal sealed class MemoryLink : Link
{
    private readonly Pipe _in;
    private readonly Pipe _out;
    private readonly int _chop;
    private readonly int _window;
    private bool _aborted;

    private MemoryLink(Pipe @in, Pipe @out, int chop, int window) => (_in, _out, _chop, _window) = (@in, @out, chop, window);

    public override string Remote => "memory";

    /// <summary>Makes a connection.</summary>
    /// <param name="chop">Most bytes of one read.</param>
    /// <param name="window">Bytes that are taken before the other end has read any.</param>
    public static (MemoryLink Ours, MemoryLink Theirs) Pair(int chop = int.MaxValue, int window = int.MaxValue - 1)
    {
        var options = new PipeOptions(pauseWriterThreshold: window, resumeWriterThreshold: Math.Max(1, window / 2), useSynchronizationContext: false);
        var (forth, back) = (new Pipe(options), new Pipe(options));
        return (new MemoryLink(back, forth, chop, window), new MemoryLink(forth, back, chop, window));
    }

    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var result = await _in.Reader.ReadAsync(cancellationToken);
        ObjectDisposedException.ThrowIf(_aborted, this);
        var taken = result.Buffer.Slice(0, Math.Min(Math.Min(_chop, buffer.Length), result.Buffer.Length));
        taken.CopyTo(buffer.Span);
        var count = (int)taken.Length;
        _in.Reader.AdvanceTo(taken.End);
        return count;
    }

    public override async ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        var part = buffer[..Math.Min(buffer.Length, _window)];
        ObjectDisposedException.ThrowIf(_aborted, this);
        var result = await _out.Writer.WriteAsync(part);
        return result.IsCompleted ? throw new IOException("The other end is closed.") : part.Length;
    }

    /// <summary>Thrown by <see cref="Abort"/>, after it has been done.</summary>
    public Exception? AbortFailure { get; set; }

    public override void Abort()
    {
        _aborted = true;
        _out.Writer.Complete();
        _in.Reader.CancelPendingRead();
        if (AbortFailure is { } failure) throw failure;
    }

    public override async ValueTask DisposeAsync()
    {
        await _out.Writer.CompleteAsync();
        await _in.Reader.CompleteAsync();
    }
}
