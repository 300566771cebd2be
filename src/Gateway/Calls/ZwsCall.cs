using System.IO.Pipelines;
using Gateway.Backends;
using Gateway.Templates;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Calls;

/// <summary>One request of a ZeroMQ peer: its frames go to the backend as they are, and the reply's frames back behind the peer's own envelope.</summary>
/// <param name="request">Envelope and body; disposed with the call.</param>
/// <param name="bodyAt">Index of the first frame of the body. What stands before it, the last empty, is the envelope, which may be nothing.</param>
/// <param name="maxReplyBytes">A larger reply is dropped.</param>
internal sealed class ZwsCall(Message request, int bodyAt, long maxReplyBytes) : ICall, IDisposable
{
    private readonly PooledBuffer _pieces = new();
    private Message _reply = Message.Create();

    /// <summary>Whether the reply was larger than allowed; nothing of it is kept.</summary>
    public bool IsOversize { get; private set; }

    /// <inheritdoc/>
    public long StreamedLength => -1;

    /// <inheritdoc/>
    public PipeReader StreamedBody => throw new InvalidOperationException("A ZeroMQ peer's request is sent whole.");

    /// <summary>The reply with the envelope; the caller disposes it. Once, after the call has completed.</summary>
    public Message TakeReply()
    {
        var reply = _reply;
        _reply = Message.Create();
        return reply;
    }

    /// <inheritdoc/>
    public void WriteRequest(IFrameWriter writer)
    {
        for (var i = bodyAt; i < request.Count; i++) writer.WriteFrame(request[i].Span, more: i < request.Count - 1);
    }

    /// <inheritdoc/>
    public bool Accept(in FramePart part)
    {
        if (_reply.Count == 0 && _pieces.Length == 0 && !IsOversize) Begin();
        IsOversize |= _reply.Length + (long)_pieces.Length + part.Bytes.Length > maxReplyBytes;
        if (IsOversize) return true;
        if (part.IsWhole)
        {
            _reply.Add(part.Bytes);
            return true;
        }

        part.Bytes.CopyTo(_pieces.GetSpan(part.Bytes.Length));
        _pieces.Advance(part.Bytes.Length);
        if (!part.IsLast) return true;
        _reply.Add(_pieces.Written);
        _pieces.Reset();
        return true;
    }

    /// <inheritdoc/>
    public ValueTask WhenReadyAsync(CancellationToken stopping) => default;

    /// <inheritdoc/>
    public void Dispose()
    {
        request.Dispose();
        _reply.Dispose();
        _pieces.Reset();
    }

    private void Begin()
    {
        for (var i = 0; i < bodyAt; i++) _reply.Add(request[i].Span);
    }
}
