using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Backends;

/// <summary>A PUSH backend: every message goes to one peer, in turn.</summary>
internal sealed class PusherBackend(string name, BackendOptions options, ZmtpOptions socket, BackendLog log)
    : SocketBackend<PushSocket>(name, options, socket, log, static o => new PushSocket(o)), IPublisher
{
    private readonly TimeSpan _wait = options.ConnectWait;
    private readonly TimeProvider _time = socket.Time;

    /// <inheritdoc/>
    public async ValueTask<int> SendAsync<TState>(TState state, Action<TState, IFrameWriter> write, CancellationToken cancellationToken)
    {
        var message = Message.Create();
        write(state, message);
        if (ZmtpSocket.TrySend(message)) return 1;
        using var timeout = new CancellationTokenSource(_wait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await ZmtpSocket.SendAsync(message, either.Token);
            return 1;
        }
        catch (OperationCanceledException)
        {
            message.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw WhyNotReady is { } why
                ? new BackendUnavailableException(Name, why)
                : new BackendException(503, "backend-overloaded", $"Backend '{Name}': every peer has its high-water mark of messages waiting.");
        }
    }
}
