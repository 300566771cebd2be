using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Connections;

/// <summary>Gives every connection of the web server its <see cref="DirectOutput"/>.</summary>
internal static class DirectOutputMiddleware
{
    /// <summary>Adds it below everything else on an endpoint, so that TLS, where there is any, writes through it too.</summary>
    public static ListenOptions UseDirectOutput(this ListenOptions listen)
    {
        listen.Use(static next => connection => RunAsync(connection, next));
        return listen;
    }

    private static Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        // In-memory test servers and named pipes have no socket; they keep their own output.
        if (connection.Features.Get<IConnectionSocketFeature>() is { Socket: { } socket })
            connection.Transport = new Duplex(connection.Transport.Input, new DirectOutput(socket, connection.Transport.Output));
        return next(connection);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
