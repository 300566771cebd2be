using Zmtp.Sockets;
using Zmtp.Wire;

namespace Zmtp.Proxies;

/// <summary>Steers a proxy by messages, as libzmq's zmq_proxy_steerable: PAUSE, RESUME, TERMINATE, STATISTICS; anything else is ignored.</summary>
/// <remarks>STATISTICS is answered with eight frames of eight bytes in host order. On a REP socket every other command gets an empty frame.</remarks>
internal sealed class ProxyControl : IAsyncDisposable
{
    private readonly ZmtpProxy _proxy;
    private readonly ZmtpSocket _socket;
    private readonly Func<CancellationToken, ValueTask<Message>> _receive;
    private readonly Func<Message, bool>? _send;
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    /// <exception cref="ArgumentException">No socket of this type steers.</exception>
    public ProxyControl(ZmtpProxy proxy, ZmtpSocket socket)
    {
        (_proxy, _socket) = (proxy, socket);
        (_receive, _send) = socket switch
        {
            PairSocket pair => (pair.ReceiveAsync, pair.TrySend),
            DealerSocket dealer => (dealer.ReceiveAsync, dealer.TrySend),
            RepSocket rep => (rep.ReceiveAsync, rep.Send),
            PullSocket pull => (pull.ReceiveAsync, null),
            SubSocket sub => ((Func<CancellationToken, ValueTask<Message>>)sub.ReceiveAsync, (Func<Message, bool>?)null),
            _ => throw new ArgumentException($"A control socket cannot be {socket.Type.Name()}; allowed: {string.Join(", ", ProxyPairs.Controls.Select(type => type.Name()))}.", nameof(socket)),
        };
    }

    public void Start() => _running = Task.Run(RunAsync);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        await _socket.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        while (true)
        {
            Message command;
            try
            {
                command = await _receive(_stopping.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }

            using (command) Obey(command);
        }
    }

    private void Obey(Message command)
    {
        var text = command.Count == 1 ? command[0].Span : [];
        var asksStatistics = text.SequenceEqual("STATISTICS"u8);
        if (text.SequenceEqual("PAUSE"u8)) _proxy.Pause();
        else if (text.SequenceEqual("RESUME"u8)) _proxy.Resume();
        // The answer leaves first: with the proxy goes its control socket.
        Answer(asksStatistics);
        if (text.SequenceEqual("TERMINATE"u8)) _proxy.Terminate();
    }

    private void Answer(bool asksStatistics)
    {
        if (_send is null || (!asksStatistics && _socket.Type != SocketType.Rep)) return;
        var answer = asksStatistics ? Statistics() : Message.Of([[]]);
        // Who asks and does not read the answers misses some.
        if (!_send(answer) && _socket.Type != SocketType.Rep) answer.Dispose();
    }

    private Message Statistics()
    {
        var (front, back, _) = _proxy.Statistics;
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        var message = Message.Create();
        // Received and sent by the frontend, then by the backend; each as frames and bytes.
        foreach (var count in (ReadOnlySpan<long>)[front.Frames, front.Bytes, back.SentFrames, back.SentBytes, back.Frames, back.Bytes, front.SentFrames, front.SentBytes])
        {
            BitConverter.TryWriteBytes(value, (ulong)count);
            message.Add(value);
        }

        return message;
    }
}
