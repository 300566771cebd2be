using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>What a socket tells of its connections, and that telling never harms it.</summary>
public class MonitorTests
{
    [Fact]
    public async Task A_connection_is_told_from_its_first_attempt_to_its_end_on_both_sides()
    {
        var bound = new PullSocket();
        using var theirs = bound.Monitor();
        var endpoint = bound.Bind("tcp://127.0.0.1:*");
        var push = new PushSocket(new ZmtpOptions { ReconnectMin = TimeSpan.FromHours(1), ReconnectMax = TimeSpan.FromHours(1), Jitter = () => 1 });
        using var ours = push.Monitor();
        push.Connect(endpoint);
        await push.SendAsync(Message.Of("hello")).AsTask().WaitAsync(ScriptedPeer.Patience);
        using (await bound.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) await bound.DisposeAsync();
        Assert.Equal([SocketEventKind.Listening, SocketEventKind.Accepted, SocketEventKind.Ready, SocketEventKind.Closed], (await AllAsync(theirs)).Select(e => e.Kind));
        var told = new List<SocketEvent>();
        await foreach (var e in ours)
        {
            told.Add(e);
            if (e.Kind == SocketEventKind.Retrying) break;
        }

        Assert.Equal([SocketEventKind.Connecting, SocketEventKind.Connected, SocketEventKind.Ready, SocketEventKind.Disconnected, SocketEventKind.Retrying], told.Select(e => e.Kind));
        Assert.Equal(TimeSpan.FromHours(1), told[^1].Delay);
        Assert.All(told, e => Assert.Equal(endpoint, e.Endpoint));
        await push.DisposeAsync();
        Assert.Equal([SocketEventKind.Closed], (await AllAsync(ours)).Select(e => e.Kind));
    }

    [Fact]
    public async Task A_failed_handshake_and_a_failed_bind_are_told_with_their_reason()
    {
        await using var pull = new PullSocket();
        using var monitor = pull.Monitor();
        var endpoint = pull.Bind("tcp://127.0.0.1:*");
        await using var other = await ScriptedPeer.ConnectAsync(endpoint);
        await other.SendAsync(ZmtpBytes.Greeting(), ZmtpBytes.Ready("PUB"));
        await foreach (var e in monitor)
        {
            if (e.Kind != SocketEventKind.HandshakeFailed) continue;
            Assert.Equal("IncompatibleSocketType", e.Reason);
            break;
        }

        Assert.Throws<ZmtpException>(() => pull.Bind(endpoint));
        await foreach (var e in monitor)
        {
            if (e.Kind != SocketEventKind.BindFailed) continue;
            Assert.Contains("cannot be bound", e.Error!.Message, StringComparison.Ordinal);
            break;
        }
    }

    [Theory]
    [InlineData(ReconnectStop.ConnectionRefused)]
    [InlineData(ReconnectStop.HandshakeFailed)]
    public async Task Reconnect_stop_ends_the_attempts_and_is_told(ReconnectStop stop)
    {
        using var listener = new ScriptedListener();
        if (stop == ReconnectStop.ConnectionRefused) listener.Dispose();
        await using var push = new PushSocket(new ZmtpOptions { ReconnectStop = stop });
        using var monitor = push.Monitor();
        push.Connect(stop == ReconnectStop.ConnectionRefused ? $"tcp://127.0.0.1:{FreePort.Take(1)[0]}" : listener.Endpoint);
        if (stop == ReconnectStop.HandshakeFailed)
        {
            await using var peer = await listener.AcceptAsync();
            await peer.SendAsync(ZmtpBytes.Greeting(), ZmtpBytes.Ready("PUB"));
            await peer.ReceiveToEndAsync();
        }

        await foreach (var e in monitor)
        {
            Assert.NotEqual(SocketEventKind.Retrying, e.Kind);
            if (e.Kind == SocketEventKind.Stopped) break;
        }

        Assert.Equal(EndpointPhase.Stopped, Assert.Single(push.Endpoints).Phase);
    }

    [Fact]
    public async Task Events_beyond_a_monitors_capacity_are_lost_and_counted_and_hold_nobody_up()
    {
        await using var pull = new PullSocket();
        using var monitor = pull.Monitor(capacity: 3);
        var endpoint = pull.Bind("tcp://127.0.0.1:*");
        for (var i = 0; i < 10; i++)
        {
            await using var peer = await ScriptedPeer.ConnectAsync(endpoint);
            await peer.HandshakeAsync("PUSH");
            await peer.SendAsync(ZmtpBytes.Message($"{i}"));
            using var message = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal($"{i}", message.Text(0));
        }

        Assert.InRange(monitor.Lost, 17, 40);
    }

    [Fact]
    public async Task A_callback_that_throws_does_not_end_accepting_and_is_told_to_monitors()
    {
        await using var pull = new PullSocket(new ZmtpOptions { Events = e => throw new InvalidOperationException($"on {e.Kind}") });
        using var monitor = pull.Monitor();
        var endpoint = pull.Bind("tcp://127.0.0.1:*");
        foreach (var text in (string[])["one", "two"])
        {
            await using var peer = await ScriptedPeer.ConnectAsync(endpoint);
            await peer.HandshakeAsync("PUSH");
            await peer.SendAsync(ZmtpBytes.Message(text));
            using var message = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal(text, message.Text(0));
        }

        await foreach (var e in monitor)
        {
            if (e.Kind != SocketEventKind.CallbackFailed) continue;
            Assert.Equal("on Listening", e.Error!.Message);
            break;
        }
    }

    private static async Task<List<SocketEvent>> AllAsync(SocketMonitor monitor)
    {
        var events = new List<SocketEvent>();
        await foreach (var e in monitor) events.Add(e);
        return events;
    }
}
