using Gateway.Backends;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Routing;

/// <summary>Runs a route's handler and answers for what it throws: the one place where a failure becomes a problem document.</summary>
internal sealed class RouteGuard(string route, RequestDelegate handle, ILogger logger)
{
    /// <summary>The guarded handler.</summary>
    public Task HandleAsync(HttpContext context)
    {
        try
        {
            var handling = handle(context);
            // What is complete needs no state machine.
            return handling.IsCompletedSuccessfully ? handling : AwaitAsync(handling, context);
        }
#pragma warning disable CA1031 // The top of every request: whatever was thrown is answered and, if unexpected, logged.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return AnswerAsync(e, context);
        }
    }

    private async Task AwaitAsync(Task handling, HttpContext context)
    {
        try
        {
            await handling;
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e)
#pragma warning restore CA1031
        {
            await AnswerAsync(e, context);
        }
    }

    private Task AnswerAsync(Exception exception, HttpContext context)
    {
        switch (exception)
        {
            case BackendException failure:
                return Problems.WriteAsync(context, failure.Status, failure.Code, failure.Message);
            case BadHttpRequestException bad:
                // Where its body ends is not known, so nothing can follow it. HTTP/2 has a frame for that.
                if (HttpProtocol.IsHttp11(context.Request.Protocol)) context.Response.Headers.Connection = "close";
                return Problems.WriteAsync(context, bad.StatusCode, CodeOf(bad.StatusCode), bad.Message);
            case IOException { InnerException: OverflowException }:
                // The server's parser of chunks says a size beyond its numbers in this way. What follows in the connection is anybody's
                // guess.
                context.Response.Headers.Connection = "close";
                return Problems.WriteAsync(context, StatusCodes.Status400BadRequest, ProblemCode.BadRequest,
                    "A chunk of the body is larger than any may be.");
            case ConnectionResetException or ConnectionAbortedException:
            case OperationCanceledException or IOException when context.RequestAborted.IsCancellationRequested:
                // The client is gone; nobody reads an answer. An everyday event, and no defect.
                logger.ClientGone(route, context.TraceIdentifier, exception.GetType().Name);
                if (!context.Response.HasStarted) context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
                context.Abort();
                return Task.CompletedTask;
            default:
                logger.RouteFailed(exception, route, context.TraceIdentifier);
                return Problems.WriteAsync(context, StatusCodes.Status500InternalServerError, ProblemCode.InternalError, "The gateway failed; its log says why.");
        }
    }

    private static string CodeOf(int status) => status switch
    {
        StatusCodes.Status413PayloadTooLarge => ProblemCode.RequestTooLarge,
        StatusCodes.Status408RequestTimeout => ProblemCode.RequestTimeout,
        _ => ProblemCode.BadRequest,
    };
}
