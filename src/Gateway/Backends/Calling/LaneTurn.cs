namespace Gateway.Backends.Calling;

/// <summary>Bounds what follows a reply on the thread of a lane: the end of that request, and not the next one.</summary>
/// <remarks>
/// A reply is completed from the lane's read loop, and the web server's loop of the client's connection goes on from there. A client that
/// has sent many requests at once would keep the lane's thread with all of them; so a request that begins on such a thread moves to the
/// pool first.
/// </remarks>
internal static class LaneTurn
{
    [ThreadStatic]
    private static int _depth;

    /// <summary>Whether this thread completes a reply just now.</summary>
    public static bool IsActive => _depth > 0;

    public static void Begin() => _depth++;

    public static void End() => _depth--;

    /// <summary>Lets requests begin on threads of their own. First in the pipeline.</summary>
    public static IApplicationBuilder UseLaneTurns(this IApplicationBuilder app) =>
        app.Use(static next => context => IsActive ? OnPoolAsync(next, context) : next(context));

    private static async Task OnPoolAsync(RequestDelegate next, HttpContext context)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await next(context);
    }
}
