using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Backends;

/// <summary>A PUSH or SCATTER backend: every message goes to one peer, in turn.</summary>
internal sealed class PusherBackend(string name, BackendOptions options, ZmtpOptions socket, BackendLog log)
    : SocketBackend<BalancedSocket>(name, options, socket, log, o => SocketRoles.IsSinglePart(options.Socket) ? new ScatterSocket(o) : new PushSocket(o)), IPublisher
{
    private readonly TimeSpan _wait = options.ConnectWait;
    private readonly TimeProvider _time = socket.Time;

    /// <inheritdoc/>
    public async ValueTask<int> SendAsync<TState>(TState state, Action<TState, IFrameWriter> write, CancellationToken cancellationToken)
    {
        var message = Message.Create();
        write(state, message);
        if (ZmtpSocket is ScatterSocket && message.Count != 1)
        {
            var count = message.Count;
            message.Dispose();
            throw new BackendException(400, "not-one-frame", $"Backend '{Name}' is a SCATTER: a message has one frame, not {count}.");
        }

        if (ZmtpSocket is ScatterSocket scatter ? scatter.TrySend(message) : ((PushSocket)ZmtpSocket).TrySend(message)) return 1;
        using var timeout = new CancellationTokenSource(_wait, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await (ZmtpSocket is ScatterSocket waiting ? waiting.SendAsync(message, either.Token) : ((PushSocket)ZmtpSocket).SendAsync(message, either.Token));
            return 1;
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException)
        {
            message.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw WhyNotReady is { } why
                ? new BackendUnavailableException(Name, why)
                : new BackendException(503, "backend-overloaded", $"Backend '{Name}': every peer has its high-water mark of messages waiting.");
        }
    }
}
