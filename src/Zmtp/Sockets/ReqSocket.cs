using System.Diagnostics.CodeAnalysis;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>REQ: one request, then its reply (28/REQREP).</summary>
/// <remarks>The file holds the two halves of one pattern.</remarks>
public sealed class ReqSocket(ZmtpOptions? options = null) : BalancedSocket(SocketType.Req, options)
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Lock _gate = new();
    private CancellationTokenSource? _waiting;
    private uint _lastRequest = (uint)Random.Shared.NextInt64(uint.MaxValue);

    /// <summary>
    /// Sends a request and waits for its reply. The request is taken over, the reply is the caller's. Calls at the same time take turns, or with
    /// <see cref="ZmtpOptions.ReqRelaxed"/> the later one ends the earlier one.
    /// </summary>
    /// <exception cref="ZmtpException">ReqRelaxed: another request was made before the reply came.</exception>
    /// <exception cref="TimeoutException">Nobody took the request within <see cref="ZmtpOptions.SendTimeout"/>, or no reply came within ReceiveTimeout.</exception>
    /// <exception cref="ObjectDisposedException">The socket was closed.</exception>
    public async ValueTask<Message> RequestAsync(Message request, CancellationToken cancellationToken = default)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (Options.ReqRelaxed) TakeOver(giveUp);
        try
        {
            await _turn.WaitAsync(giveUp.Token);
            try
            {
                return await AskAsync(request, giveUp.Token);
            }
            finally
            {
                _turn.Release();
            }
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ZmtpException("The request was given up for another one (ReqRelaxed).", e);
        }
        finally
        {
            lock (_gate)
            {
                if (_waiting == giveUp) _waiting = null;
            }
        }
    }

    /// <summary>The request that waits is given up; this one is the one that waits.</summary>
    private void TakeOver(CancellationTokenSource request)
    {
        lock (_gate)
        {
            // On the pool: what it cancels goes on there and not under the lock.
            if (_waiting is { } before) _ = before.CancelAsync();
            _waiting = request;
        }
    }

    private async ValueTask<Message> AskAsync(Message request, CancellationToken cancellationToken)
    {
        var envelope = Message.Create();
        var number = unchecked(++_lastRequest);
        // As libzmq: the number is of nobody's interest but ours, so it has our order of bytes.
        if (Options.ReqCorrelate) envelope.Add(BitConverter.GetBytes(number));
        envelope.Add([]);
        for (var i = 0; i < request.Count; i++) envelope.Add(request[i].Span);
        request.Dispose();
        var asked = await SendToOneAsync(envelope, cancellationToken);
        try
        {
            return await ReplyAsync(asked, number, cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            // A late reply would answer the next request; with its connection it is gone. A number says as much.
            if (!Options.ReqCorrelate) asked.Abort(new ZmtpException("A request was given up before its reply."));
            throw;
        }
    }

    private async ValueTask<Message> ReplyAsync(Peer asked, uint number, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (reply, peer) = await ReceiveFromAsync(cancellationToken);
            using (reply)
            {
                // Only who was asked may answer, and a reply without its envelope answers nobody.
                if (peer != asked || BodyAt(reply, number) is not { } bodyAt) continue;
                var body = Message.Create();
                body.Peer = peer;
                for (var i = bodyAt; i < reply.Count; i++) body.Add(reply[i].Span);
                return body;
            }
        }
    }

    /// <summary>Where the body of a reply to this request begins; null when it is none.</summary>
    private int? BodyAt(Message reply, uint number)
    {
        var at = 0;
        if (Options.ReqCorrelate && !reply[at++].Span.SequenceEqual(BitConverter.GetBytes(number))) return null;
        return reply.Count > at + 1 && reply[at].Length == 0 ? at + 1 : null;
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
        body.Peer = peer;
        for (var i = bodyAt; i < request.Count; i++) body.Add(request[i].Span);
        _current?.Request.Dispose();
        _current = (request, bodyAt, peer);
        return body;
    }

    private protected override IFrameSink Attach(Peer peer) => PipeFor(_in, peer);

    private protected override void OnDisposed() => _in.Dispose();
}
