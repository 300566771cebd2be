using Gateway.Configuration;
using Zmtp;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Gateway.Backends;

/// <summary>Makes backends that speak ZMTP.</summary>
internal sealed class ZmtpBackendFactory(ILoggerFactory loggers, BackendMetrics metrics, InprocRegistry inproc, SocketSecurer securer, TimeProvider time, IHostApplicationLifetime lifetime)
    : IBackendFactory
{
    private const long DefaultStreamMessageSize = 1024 * 1024;

    /// <inheritdoc/>
    public bool Serves(string socket) => socket.ToUpperInvariant() is "REQ" or "DEALER" or "PUB" or "XPUB" or "PUSH" or "SUB" or "XSUB" or "PULL";

    /// <inheritdoc/>
    public IBackend Create(string name, BackendOptions options)
    {
        var log = new BackendLog(name, loggers.CreateLogger("Gateway.Backends"), metrics, lifetime.ApplicationStopping);
        return options.Socket.ToUpperInvariant() switch
        {
            "REQ" or "DEALER" => new CallerBackend(name, options, Socket(name, options, 0), time, log, metrics),
            "PUSH" => new PusherBackend(name, options, Socket(name, options, DefaultStreamMessageSize), log),
            "PUB" or "XPUB" => new PublisherBackend(name, options, Socket(name, options, DefaultStreamMessageSize), log),
            "SUB" => new SourceBackend(name, options, SocketType.Sub, Socket(name, options, DefaultStreamMessageSize), log),
            "XSUB" => new SourceBackend(name, options, SocketType.XSub, Socket(name, options, DefaultStreamMessageSize), log),
            _ => new SourceBackend(name, options, SocketType.Pull, Socket(name, options, DefaultStreamMessageSize), log),
        };
    }

    private ZmtpOptions Socket(string name, BackendOptions options, long maxMessageSize)
    {
        var socket = new ZmtpOptions { MaxMessageSize = maxMessageSize, Inproc = inproc, Time = time };
        options.Options.ApplyTo(socket);
        securer.Secure(socket, options.Security, $"{GatewayOptions.SectionName}:Backends:{name}:Security");
        return socket;
    }
}
