using Gateway.WebSockets;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Gateway.Routing;

/// <summary>Answers what routing leaves over: 404 for unknown paths and 405 for other methods of known ones, as problems.</summary>
internal static class Unrouted
{
    /// <summary>An endpoint for a path that takes every method that no other endpoint takes.</summary>
    /// <param name="path">The template.</param>
    /// <param name="allowed">Methods that others take, for <c>Allow</c>.</param>
    /// <param name="webSocket">Takes what asks for a WebSocket; null where nobody does.</param>
    public static Endpoint OtherMethods(string path, IReadOnlyList<string> allowed, RequestDelegate? webSocket)
    {
        var refuse = Refuse(allowed);
        RequestDelegate handle = webSocket is null ? refuse : context => WebSocketHandshake.IsRequested(context) ? webSocket(context) : refuse(context);
        return new RouteEndpointBuilder(handle, RoutePatternFactory.Parse(path), order: int.MaxValue) { DisplayName = $"405 {path}" }.Build();
    }

    /// <summary>The same for an endpoint that is mapped in code.</summary>
    public static void MapOtherMethods(this IEndpointRouteBuilder endpoints, string path, params IReadOnlyList<string> allowed) =>
        endpoints.Map(path, Refuse(allowed)).WithOrder(int.MaxValue);

    /// <summary>The end of the pipeline: no endpoint has this path.</summary>
    public static Task NotFoundAsync(HttpContext context) => Problems.WriteAsync(
        context, StatusCodes.Status404NotFound, ProblemCode.NotFound, $"No route has the path {context.Request.Path}; /health/ready lists the routes.");

    private static RequestDelegate Refuse(IReadOnlyList<string> allowed)
    {
        var allow = string.Join(", ", allowed);
        return context =>
        {
            context.Response.Headers.Allow = allow;
            return Problems.WriteAsync(
                context, StatusCodes.Status405MethodNotAllowed, ProblemCode.MethodNotAllowed,
                $"{context.Request.Path} answers {allow}, not {context.Request.Method}.");
        };
    }
}
