using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Gateway.Backends;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Backends.Calling;

/// <summary>One call of the model: knows its number, and notes whatever reaches it that is not its own or comes after its end.</summary>
internal sealed class ModelCall(int number, Random random, Action<string> violated) : ICall
{
    private readonly StringBuilder _reply = new();
    private readonly Pipe _body = new(new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline));
    private volatile TaskCompletionSource? _client;
    private int _pauses = random.Next(6) == 0 ? 1 : 0;
    private int _over;

    public long StreamedLength { get; init; } = -1;

    public PipeReader StreamedBody => _body.Reader;

    public CancellationTokenSource Client { get; } = new();

    /// <summary>Completes when the call has.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    public string Reply => _reply.ToString();

    /// <summary>Whether it waits for its client to take a part.</summary>
    public bool IsPaused => _client is not null;

    public void Begin(Task completion) => Completion = EndAsync(completion);

    public void WriteRequest(IFrameWriter writer)
    {
        Check("was asked for its request");
        writer.WriteFrame(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)), more: StreamedLength >= 0);
    }

    public bool Accept(in FramePart part)
    {
        Check("got a part of a reply");
        _reply.Append(Encoding.ASCII.GetString(part.Bytes));
        if (!$"re:{number}".StartsWith(_reply.ToString(), StringComparison.Ordinal)) violated($"call {number} got {_reply}");
        if (part.EndsMessage || _pauses == 0) return true;
        _pauses--;
        _client = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return false;
    }

    public ValueTask WhenReadyAsync(CancellationToken stopping) => _client is { } client ? new ValueTask(client.Task) : default;

    /// <summary>The client takes what waits for it.</summary>
    public void Take()
    {
        if (_client is not { } client) return;
        _client = null;
        client.TrySetResult();
    }

    /// <summary>The client sends the rest of its body, or breaks off.</summary>
    public void Upload(bool breaksOff)
    {
        if (StreamedLength < 0) return;
        try
        {
            if (!breaksOff) _body.Writer.Write(new byte[StreamedLength]);
            _body.Writer.Complete();
        }
        catch (InvalidOperationException)
        {
            // It has done so before.
        }
    }

    private void Check(string what)
    {
        if (Volatile.Read(ref _over) != 0) violated($"call {number} {what} after its end");
    }

    private async Task EndAsync(Task completion)
    {
        try
        {
            await completion;
            Volatile.Write(ref _over, 1);
            if (Reply != $"re:{number}") violated($"call {number} was answered with '{Reply}'");
        }
        finally
        {
            Volatile.Write(ref _over, 1);
        }
    }
}
