namespace Gateway.WebSockets;

/// <summary>Aborts a connection from any thread, but never after its request has ended: by then the context may serve another one.</summary>
internal sealed class ConnectionAbort(HttpContext context)
{
    private readonly Lock _gate = new();
    private HttpContext? _context = context;

    /// <summary>Ends the connection at once.</summary>
    public void Abort()
    {
        lock (_gate) _context?.Abort();
    }

    /// <summary>The request ends: <see cref="Abort"/> does nothing any more.</summary>
    public void Disarm()
    {
        lock (_gate) _context = null;
    }
}
