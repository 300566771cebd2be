using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>REQ: one request, then its reply (28/REQREP).</summary>
/// <remarks>The file holds the two halves of one pattern.</remarks>
public sealed class ReqSocket(ZmtpOptions? options = null) : BalancedSocket(SocketType.Req, options)
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Sends a request and waits for its reply. The request is taken over, the reply is the caller's. Calls at the same time take turns.</summary>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask<Message> RequestAsync(Message request, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var envelope = Message.Create();
            envelope.Add([]);
            for (var i = 0; i < request.Count; i++) envelope.Add(request[i].Span);
            request.Dispose();
            var asked = await SendToOneAsync(envelope, cancellationToken);
            try
            {
                return await ReplyAsync(asked, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // A late reply would answer the next request; with its connection it is gone (libzmq does so with REQ_RELAXED).
                asked.Abort(new ZmtpException("A request was given up before its reply."));
                throw;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask<Message> ReplyAsync(Peer asked, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (reply, peer) = await ReceiveFromAsync(cancellationToken);
            using (reply)
            {
                // Only who was asked may answer, and a reply without its envelope answers nobody.
                if (peer != asked || reply.Count < 2 || reply[0].Length > 0) continue;
                var body = Message.Create();
                for (var i = 1; i < reply.Count; i++) body.Add(reply[i].Span);
                return body;
            }
        }
    }
}

/// <summary>REP: takes a request, answers it, takes the next (28/REQREP).</summary>
public sealed class RepSocket : ZmtpSocket
{
    private readonly FairQueue _in;
    private (Message Request, int BodyAt, Peer Peer)? _current;

    /// <summary>Makes one.</summary>
    public RepSocket(ZmtpOptions? options = null)
        : base(SocketType.Rep, options) => _in = new FairQueue(Options);

    /// <summary>Waits for the next request, without its envelope. The caller owns it. A request that was not answered is given up.</summary>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask<Message> ReceiveAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var (request, peer) = await _in.ReceiveAsync(cancellationToken);
            if (Unwrap(request, peer) is { } body) return body;
        }
    }

    /// <summary>Takes a request that is here already, as <see cref="ReceiveAsync"/> does.</summary>
    public bool TryReceive([NotNullWhen(true)] out Message? body)
    {
        body = null;
        while (body is null && _in.TryReceive(out var request, out var peer)) body = Unwrap(request, peer);
        return body is not null;
    }

    /// <summary>Answers the request received last. The reply is taken over; when the asker is gone it is dropped.</summary>
    /// <returns>Whether it was queued.</returns>
    /// <exception cref="InvalidOperationException">No request is waiting for an answer.</exception>
    public bool Send(Message reply)
    {
        var (request, bodyAt, peer) = _current ?? throw new InvalidOperationException("A REP socket sends only after it has received.");
        _current = null;
        using (reply)
        using (request)
        {
            return peer.TryWrite((request, bodyAt, reply), static (s, writer) =>
            {
                for (var i = 0; i < s.bodyAt; i++) writer.WriteFrame(s.request[i].Span, more: true);
                s.reply.WriteTo(writer);
            });
        }
    }

    private Message? Unwrap(Message request, Peer peer)
    {
        var bodyAt = 0;
        while (bodyAt < request.Count && request[bodyAt].Length > 0) bodyAt++;
        // What has no empty frame followed by a body is discarded, as libzmq does.
        if (++bodyAt >= request.Count)
        {
            request.Dispose();
            return null;
        }

        var body = Message.Create();
        for (var i = bodyAt; i < request.Count; i++) body.Add(request[i].Span);
        _current?.Request.Dispose();
        _current = (request, bodyAt, peer);
        return body;
    }

    private protected override IFrameSink Attach(Peer peer) => PipeFor(_in, peer);

    private protected override void OnDisposed() => _in.Dispose();
}
