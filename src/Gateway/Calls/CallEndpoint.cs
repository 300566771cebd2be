using Gateway.Backends;
using Gateway.Routing;
using Microsoft.Extensions.ObjectPool;

namespace Gateway.Calls;

/// <summary>Serves one call route.</summary>
internal sealed class CallEndpoint(CallRoute route, CallMetrics metrics, TimeProvider time, ILogger logger)
{
    // Idle calls kept for reuse; more than that many at once are made anew and left to the collector.
    private const int KeptCalls = 1024;
    private const string ClientGone = "client-gone";
    private readonly DefaultObjectPool<WebCall> _calls = new(new WebCallPolicy(route, time), KeptCalls);
    private readonly KeyValuePair<string, object?>[] _tags = route.Tags;

    /// <summary>Sends the request as a call and its reply as the response. Failures are thrown; whoever called answers them.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var call = _calls.Get();
        var began = 0L;
        string? error = null;
        try
        {
            await call.PrepareAsync(context);
            began = metrics.Began(_tags);
            await route.Caller.CallAsync(call, route.Timeout, route.IsRepeatable(context.Request.Method), context.RequestAborted);
            await call.Reply.EndAsync();
        }
        catch (Exception e)
        {
            error = call.Reply.HasStalled ? CallReply.ClientStalled : ErrorType(e);
            // Of a client that went away the guard of the route says a line.
            if (error != ClientGone) logger.CallFailed(e, route.Name, error);
            throw;
        }
        finally
        {
            metrics.Ended(began, _tags, error, call.Reply.StrippedFields);
            await call.DisposeAsync();
            _calls.Return(call);
        }
    }

    private static string ErrorType(Exception exception) => exception switch
    {
        BackendException failure => failure.Code,
        BadHttpRequestException or IOException { InnerException: OverflowException } => ProblemCode.BadRequest,
        OperationCanceledException or IOException => ClientGone,
        _ => exception.GetType().Name,
    };

    private sealed class WebCallPolicy(CallRoute route, TimeProvider time) : IPooledObjectPolicy<WebCall>
    {
        public WebCall Create() => new(route, time);

        public bool Return(WebCall obj) => true;
    }
}
