using Gateway.Backends;
using Gateway.WebSockets;
using Gateway.Zws;
using Zmtp;

namespace Gateway.Calls;

/// <summary>A ZeroMQ REQ, DEALER or ROUTER over WebSocket on a call route: to it the route is a ROUTER with the backend's services behind.</summary>
internal sealed class ZwsCaller(CallRoute route, CallMetrics metrics, KeyValuePair<string, object?>[] tags, ZwsServices services) : ZwsPeer(route.Options.MaxBodySize)
{
    // A peer that asks ahead is read on until so many of its requests wait for replies.
    private const int MaxInFlight = 256;

    private readonly CancellationTokenSource _gone = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _room;
    private int _inFlight;
    private bool _isClosed;

    /// <inheritdoc/>
    public override ValueTask WhenReadyAsync(CancellationToken stopping)
    {
        lock (_gate) return _room is null ? default : new(_room.Task.WaitAsync(stopping));
    }

    /// <inheritdoc/>
    public override void Closed(Exception? reason)
    {
        base.Closed(reason);
        _gone.Cancel();
    }

    /// <inheritdoc/>
    public override Task EndedAsync()
    {
        lock (_gate)
        {
            _isClosed = true;
            if (_inFlight == 0) _ended.TrySetResult();
        }

        return _ended.Task;
    }

    /// <inheritdoc/>
    protected override bool Take(Message message)
    {
        services.Metrics.Received(route.Name);
        var bodyAt = BodyOf(message);
        if (bodyAt == message.Count)
        {
            // An envelope without a body asks nothing; libzmq's REP drops it as well.
            message.Dispose();
            services.Metrics.Unanswered(route.Name, "bad-request");
            return true;
        }

        bool hasRoom;
        lock (_gate)
        {
            hasRoom = ++_inFlight < MaxInFlight;
            if (!hasRoom) _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        // Ends by itself, catches everything, and is counted until then.
        _ = CallAsync(message, bodyAt);
        return hasRoom;
    }

    /// <summary>The envelope is what stands before the first empty frame, and that frame; without one there is none.</summary>
    private static int BodyOf(Message message)
    {
        for (var i = 0; i < message.Count; i++)
        {
            if (message[i].Length == 0) return i + 1;
        }

        return 0;
    }

    private async Task CallAsync(Message request, int bodyAt)
    {
        var began = metrics.Began(tags);
        string? error = null;
        using var call = new ZwsCall(request, bodyAt, route.Options.MaxBodySize);
        try
        {
            await route.Caller.CallAsync(call, route.Timeout, repeatable: route.IsRepeatable(HttpMethods.Post), _gone.Token);
            if (call.IsOversize) error = "reply-too-large";
            else await ReplyAsync(call);
        }
        catch (BackendException e)
        {
            error = e.Code;
            services.Logger.Unanswered(e, route.Name, Peer.Remote, e.Code);
            // A REQ would wait for ever; a peer that comes back later asks again.
            if (e is BackendUnavailableException) Session.Close((int)WebSocketCloseCode.TryAgainLater, "no service is ready; reconnect later");
        }
        catch (OperationCanceledException)
        {
            error = "client-gone";
        }
#pragma warning disable CA1031 // The top of a call: whatever it was is logged, and the peer's other calls go on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            error = e.GetType().Name;
            services.Logger.Failed(e, route.Name, Peer.Remote);
        }
        finally
        {
            if (error is not null) services.Metrics.Unanswered(route.Name, error);
            metrics.Ended(began, tags, error, strippedFields: 0);
            CallEnded();
        }
    }

    private async ValueTask ReplyAsync(ZwsCall call)
    {
        using var reply = call.TakeReply();
        await SendAsync(reply, _gone.Token);
    }

    private void CallEnded()
    {
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            _inFlight--;
            if (_inFlight < MaxInFlight) (room, _room) = (_room, null);
            if (_isClosed && _inFlight == 0) _ended.TrySetResult();
        }

        room?.TrySetResult();
    }
}
