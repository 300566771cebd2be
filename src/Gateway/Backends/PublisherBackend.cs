using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Backends;

/// <summary>A PUB or XPUB backend: every message goes to each peer that subscribed to a prefix of its first frame.</summary>
internal sealed class PublisherBackend(string name, BackendOptions options, ZmtpOptions socket, BackendLog log)
    : SocketBackend<PubSocket>(name, options, socket, log, static o => new PubSocket(o)), IPublisher
{
    /// <summary>Bound or not, a publisher without subscribers drops what it is given, as the pattern says; it is never out of order.</summary>
    public override bool IsReady => base.IsReady || Endpoints.Any(e => e.State == "listening");

    /// <inheritdoc/>
    public ValueTask<int> SendAsync<TState>(TState state, Action<TState, IFrameWriter> write, CancellationToken cancellationToken)
    {
        var message = Message.Create();
        write(state, message);
        try
        {
            return new(ZmtpSocket.Send(message));
        }
        catch (ZmtpException e)
        {
            // Only with XPubNoDrop; who posts may post again.
            message.Dispose();
            throw new BackendException(503, "backend-overloaded", $"Backend '{Name}': {e.Message}");
        }
    }
}
