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

    /// <summary>Counts every connection of an endpoint out again that the <see cref="ConnectionGate"/> has let in.</summary>
    public static ListenOptions UseConnectionGate(this ListenOptions listen)
    {
        var gate = listen.ApplicationServices.GetRequiredService<ConnectionGate>();
        listen.Use(next => async connection =>
        {
            try
            {
                await next(connection);
            }
            finally
            {
                gate.Leave();
            }
        });
        return listen;
    }

    private static async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        // In-memory test servers and named pipes have no socket; they keep their own output.
        if (connection.Features.Get<IConnectionSocketFeature>() is not { Socket: { } socket })
        {
            await next(connection);
            return;
        }

        var output = new DirectOutput(socket, connection.Transport.Output);
        connection.Features.Set<ISendProgress>(output);
        connection.Transport = new Duplex(connection.Transport.Input, output);
        try
        {
            await next(connection);
        }
        finally
        {
            // Kestrel closes the socket when this returns; a last send that waits for its client must not be cut off. An abort ends it.
            await output.SentAsync();
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
