using System.Net;
using System.Net.Sockets;

namespace Gateway.Tests.TestSupport;

/// <summary>Passes bytes between a client and a server, and resets both sides after so many bytes of one direction.</summary>
internal sealed class FaultRelay : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly IPEndPoint _server;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;
    private readonly List<Task> _connections = [];
    private readonly Func<int, Fault> _next;
    private int _accepted;

    /// <param name="server">Where clients are passed on to.</param>
    /// <param name="next">What happens to the connection of this number, from 0.</param>
    public FaultRelay(string server, Func<int, Fault> next)
    {
        (_server, _next) = (IPEndPoint.Parse(server["tcp://".Length..]), next);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(100);
        _running = Task.Run(AcceptAsync);
    }

    public string Endpoint => $"tcp://{_listener.LocalEndPoint}";

    /// <summary>Connections of clients so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Bytes that the client and the server sent over the last whole connection.</summary>
    public (int FromClient, int FromServer) Passed { get; private set; }

    public async ValueTask DisposeAsync()
    {
        if (_running.IsCompleted) return;
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _running;
        await Task.WhenAll(_connections);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        for (var number = 0; !_stopping.IsCancellationRequested; number++)
        {
            try
            {
                var client = await _listener.AcceptAsync(_stopping.Token);
                var fault = _next(number);
                Interlocked.Increment(ref _accepted);
                _connections.Add(Task.Run(() => PassAsync(client, fault)));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task PassAsync(Socket client, Fault fault)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var owned = client;
        client.NoDelay = true;
        await server.ConnectAsync(_server);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var forth = PumpAsync(client, server, fault.FromClient, ending);
        var back = PumpAsync(server, client, fault.FromServer, ending);
        var counts = await Task.WhenAll(forth, back);
        Passed = (counts[0], counts[1]);
        // RST, not FIN: as a peer that was killed, or a firewall.
        client.LingerState = server.LingerState = new LingerOption(true, 0);
    }

    private static async Task<int> PumpAsync(Socket from, Socket to, int limit, CancellationTokenSource ending)
    {
        var buffer = new byte[64 * 1024];
        var passed = 0;
        try
        {
            while (passed < limit)
            {
                var count = await from.ReceiveAsync(buffer.AsMemory(0, Math.Min(buffer.Length, limit - passed)), ending.Token);
                if (count == 0) break;
                passed += count;
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), ending.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // One direction ended, and with it the connection.
        }

        await ending.CancelAsync();
        return passed;
    }
}

/// <summary>How many bytes each direction may carry before both sides are reset.</summary>
internal readonly record struct Fault(int FromClient, int FromServer)
{
    public static Fault None { get; } = new(int.MaxValue, int.MaxValue);
}
