using System.Text;
using Gateway.Backends.Calling;
using Gateway.Configuration;
using Zmtp;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Gateway.Backends;

/// <summary>Makes backends that speak ZMTP.</summary>
internal sealed class ZmtpBackendFactory(ILoggerFactory loggers, BackendMetrics metrics, InprocRegistry inproc, SocketSecurer securer, TimeProvider time, IHostApplicationLifetime lifetime)
    : IBackendFactory
{
    private static readonly TimeSpan SenderLinger = TimeSpan.FromSeconds(10);
    private const long DefaultStreamMessageSize = 1024 * 1024;

    /// <inheritdoc/>
    public bool Serves(string socket) => SocketRoles.KindOf(socket) is not null;

    /// <inheritdoc/>
    public IBackend Create(string name, BackendOptions options)
    {
        var log = new BackendLog(name, loggers.CreateLogger("Gateway.Backends"), metrics, lifetime.ApplicationStopping);
        return options.Socket.ToUpperInvariant() switch
        {
            "REQ" or "DEALER" or "CLIENT" => new CallerBackend(name, options, Socket(name, options, 0), time, log, metrics),
            "PUSH" or "SCATTER" => new PusherBackend(name, options, Socket(name, options, DefaultStreamMessageSize), log),
            "PUB" or "XPUB" => new PublisherBackend(name, options, Socket(name, options, DefaultStreamMessageSize), log),
            "RADIO" => new RadioBackend(name, options, Socket(name, options, DefaultStreamMessageSize), log),
            var source => new SourceBackend(
                name, options, SocketTypes.Parse(Encoding.ASCII.GetBytes(source)), Socket(name, options, DefaultStreamMessageSize), log, metrics),
        };
    }

    private ZmtpOptions Socket(string name, BackendOptions options, long maxMessageSize)
    {
        var socket = new ZmtpOptions { MaxMessageSize = maxMessageSize, Inproc = inproc, Time = time };
        // Who posted a message was answered that it was taken; who called still waits for the answer.
        if (SocketRoles.KindOf(options.Socket) is RouteKinds.Publish or RouteKinds.Push) socket.Linger = SenderLinger;
        options.Options.ApplyTo(socket);
        securer.Secure(socket, options.Security, $"{GatewayOptions.SectionName}:Backends:{name}:Security");
        options.Tls.Apply(socket, $"{GatewayOptions.SectionName}:Backends:{name}:Tls");
        return socket;
    }
}
