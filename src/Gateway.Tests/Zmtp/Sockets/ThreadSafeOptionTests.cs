using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>What options do to the sockets whose messages have one frame.</summary>
public class ThreadSafeOptionTests
{
    [Fact]
    public async Task SendTimeout_bounds_who_waits_for_a_full_CLIENT()
    {
        var time = new ManualTimeProvider();
        await using var server = new ServerSocket(new ZmtpOptions { Time = time, SendTimeout = TimeSpan.FromSeconds(5), SendHighWaterMark = 5, SendBuffer = 4096 });
        await using var peer = await ScriptedPeer.ConnectAsync(server.Bind("tcp://127.0.0.1:*"), receiveBuffer: 4096);
        await peer.HandshakeAsync("CLIENT");
        await peer.SendAsync(ZmtpBytes.Message("hello"));
        var (routingId, request) = await Bounded(server.ReceiveAsync());
        request.Dispose();
        while (server.TrySend(routingId, Message.Of(new byte[50_000]))) continue;
        using var late = Message.Of("late");
        var waiting = server.SendAsync(routingId, late).AsTask();
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(waiting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        var error = await Assert.ThrowsAsync<TimeoutException>(() => waiting.WaitAsync(ScriptedPeer.Patience));
        Assert.Contains("SendTimeout", error.Message, StringComparison.Ordinal);
        Assert.Equal("late", late.Text(0));
    }

    [Fact]
    public async Task SendTimeout_bounds_who_waits_for_a_PEER_that_is_not_there()
    {
        var time = new ManualTimeProvider();
        await using var socket = new PeerSocket(new ZmtpOptions { Time = time, SendTimeout = TimeSpan.FromSeconds(5) });
        using var listener = new ScriptedListener();
        // It connects and gets no handshake.
        var id = socket.ConnectPeer(listener.Endpoint);
        using var late = Message.Of("late");
        var waiting = socket.SendAsync(id, late).AsTask();
        Assert.False(waiting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<TimeoutException>(() => waiting.WaitAsync(ScriptedPeer.Patience));
        Assert.Equal("late", late.Text(0));
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:*", true)]
    [InlineData("tcp://127.0.0.1:*", false)]
    [InlineData("inproc://options", true)]
    public async Task CLIENT_and_SERVER_say_hello_and_receive_what_options_say_when_the_other_is_gone(string place, bool immediate)
    {
        var names = new global::Zmtp.Transports.InprocRegistry();
        var server = new ServerSocket(new ZmtpOptions { Inproc = names, HelloMessage = "hello"u8.ToArray(), DisconnectMessage = "gone"u8.ToArray() });
        var endpoint = server.Bind(place);
        ZmtpOptions Ours() => new() { Inproc = names, Immediate = immediate, HelloMessage = "I am here"u8.ToArray(), HiccupMessage = "hiccup"u8.ToArray() };
        var leaving = new ClientSocket(Ours());
        leaving.Connect(endpoint);
        var (routingId, text) = await NextAsync(server);
        Assert.Equal("I am here", text);
        await leaving.DisposeAsync();
        Assert.Equal((routingId, "gone"), await NextAsync(server));

        await using var staying = new ClientSocket(Ours());
        staying.Connect(endpoint);
        Assert.Equal("I am here", (await NextAsync(server)).Text);
        Assert.Equal("hello", await TextAsync(staying));
        await server.DisposeAsync();
        Assert.Equal("hiccup", await TextAsync(staying));
    }

    [Fact]
    public async Task PEER_sockets_say_hello_and_receive_what_options_say_when_the_other_is_gone()
    {
        static ZmtpOptions Options() => new() { HelloMessage = "hello"u8.ToArray(), DisconnectMessage = "gone"u8.ToArray(), HiccupMessage = "hiccup"u8.ToArray() };
        var bound = new PeerSocket(Options());
        var endpoint = bound.Bind("tcp://127.0.0.1:*");
        var leaving = new PeerSocket(Options());
        leaving.ConnectPeer(endpoint);
        var (routingId, text) = await NextAsync(bound);
        Assert.Equal("hello", text);
        await leaving.DisposeAsync();
        Assert.Equal((routingId, "gone"), await NextAsync(bound));

        await using var staying = new PeerSocket(Options());
        var id = staying.ConnectPeer(endpoint);
        Assert.Equal((id, "hello"), await NextAsync(staying));
        await bound.DisposeAsync();
        Assert.Equal((id, "hiccup"), await NextAsync(staying));
    }

    private static async Task<(uint RoutingId, string Text)> NextAsync(RoutedSocket socket)
    {
        using var message = await Bounded(socket.ReceiveAsync());
        return (message.RoutingId, message.Message.Text(0));
    }

    private static async Task<string> TextAsync(ClientSocket socket)
    {
        using var message = await Bounded(socket.ReceiveAsync());
        return message.Text(0);
    }

    private static Task<T> Bounded<T>(ValueTask<T> task) => task.AsTask().WaitAsync(ScriptedPeer.Patience);
}
