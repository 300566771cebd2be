using System.Collections.Concurrent;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Transports;

namespace Gateway.Tests.TestSupport;

/// <summary>An application's ZAP handler: a REP socket at the well-known name that answers as a test says.</summary>
internal sealed class ZapHandler : IAsyncDisposable
{
    private readonly RepSocket _socket;
    private readonly Func<byte[][], byte[][]> _answer;
    private readonly ConcurrentQueue<byte[][]> _requests = new();
    private readonly Task _serving;

    public ZapHandler(InprocRegistry inproc, Func<byte[][], byte[][]> answer)
    {
        _answer = answer;
        _socket = new RepSocket(new ZmtpOptions { Inproc = inproc });
        _socket.Bind("inproc://zeromq.zap.01");
        _serving = ServeAsync();
    }

    /// <summary>The frames of each request, without the delimiter.</summary>
    public IReadOnlyCollection<byte[][]> Requests => _requests;

    public async ValueTask DisposeAsync()
    {
        await _socket.DisposeAsync();
        await _serving;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var request = await _socket.ReceiveAsync();
                byte[][] frames = [.. Enumerable.Range(0, request.Count).Select(i => request[i].ToArray())];
                _requests.Enqueue(frames);
                _socket.Send(Message.Of(_answer(frames)));
            }
        }
        catch (ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
