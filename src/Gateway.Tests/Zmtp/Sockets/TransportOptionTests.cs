using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Transports;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>What options do to system sockets, and what peers learn of each other.</summary>
public class TransportOptionTests
{
    [Fact]
    public void Options_of_tcp_reach_the_system_socket()
    {
        var options = new ZmtpOptions
        {
            TcpKeepAlive = true, TcpKeepAliveCount = 4, TcpKeepAliveIdle = TimeSpan.FromSeconds(7), TcpKeepAliveInterval = TimeSpan.FromSeconds(3), TypeOfService = 0x28, SendBuffer = 50_000, ReceiveBuffer = 60_000,
        };
        using var socket = SocketTransport.Listen(ZmtpEndpoint.Parse("tcp://127.0.0.1:*"), options, out _);
        Assert.Equal(1, (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!);
        Assert.Equal(4, (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount)!);
        Assert.Equal(7, (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!);
        Assert.Equal(3, (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval)!);
        Assert.Equal(0x28, (int)socket.GetSocketOption(SocketOptionLevel.IP, SocketOptionName.TypeOfService)!);
        // Linux doubles what is asked for, for its own book-keeping.
        Assert.InRange(socket.SendBufferSize, 50_000, 100_000);
        Assert.InRange(socket.ReceiveBufferSize, 60_000, 120_000);
    }

    [Fact]
    public void A_network_device_that_does_not_exist_is_an_error_of_the_bind() =>
        Assert.Contains("cannot be bound", Assert.Throws<ZmtpException>(() => SocketTransport.Listen(ZmtpEndpoint.Parse("tcp://127.0.0.1:*"), new ZmtpOptions { BindToDevice = "nodevice9" }, out _)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_wildcard_with_IPv6_takes_both_families()
    {
        await using var pull = new PullSocket(new ZmtpOptions { IPv6 = true });
        var port = pull.Bind("tcp://*:*").Split(':')[^1];
        Assert.Equal($"tcp://*:{port}", pull.LastEndpoint);
        foreach (var host in Socket.OSSupportsIPv6 ? (string[])["127.0.0.1", "[::1]"] : ["127.0.0.1"])
        {
            await using var push = new PushSocket();
            push.Connect($"tcp://{host}:{port}");
            await push.SendAsync(Message.Of(host)).AsTask().WaitAsync(ScriptedPeer.Patience);
            using var message = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal(host, message.Text(0));
        }
    }

    [Fact]
    public async Task Metadata_is_announced_and_found_with_each_message()
    {
        await using var libzmq = await LibzmqSocket.StartAsync("PULL");
        await using var push = new PushSocket(new ZmtpOptions { Metadata = new Dictionary<string, byte[]> { ["X-Team"] = "blue"u8.ToArray() } });
        push.Connect(await libzmq.BindAsync());
        await push.SendAsync(Message.Of("hello")).AsTask().WaitAsync(ScriptedPeer.Patience);
        var found = await libzmq.PropertiesAsync("X-Team", "Socket-Type", "X-None");
        Assert.Equal(("blue", "PUSH", null), (found["X-Team"], found["Socket-Type"], found["X-None"]));
        await using var pull = new PullSocket();
        push.Connect(pull.Bind("tcp://127.0.0.1:*"));
        await libzmq.DisposeAsync();
        await push.SendAsync(Message.Of("to libzmq, or lost")).AsTask().WaitAsync(ScriptedPeer.Patience);
        await push.SendAsync(Message.Of("to ours")).AsTask().WaitAsync(ScriptedPeer.Patience);
        using var message = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal(("blue", "PUSH", null), (message.Peer!.Property("X-Team"), message.Peer.Property("Socket-Type"), message.Peer.Property("X-None")));
        Assert.StartsWith("127.0.0.1:", message.Peer.Property("Peer-Address"), StringComparison.Ordinal);
        Assert.Contains("team", Assert.Throws<ZmtpException>(() => new PushSocket(new ZmtpOptions { Metadata = new Dictionary<string, byte[]> { ["team"] = [] } })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("user", "secret")]
    public async Task A_connection_goes_through_a_SOCKS5_proxy_that_looks_the_name_up(string user, string password)
    {
        await using var pull = new PullSocket();
        var port = int.Parse(pull.Bind("tcp://127.0.0.1:*").Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var asked = ServeAsync(listener, port, user, password);
        await using var push = new PushSocket(new ZmtpOptions { SocksProxy = listener.LocalEndPoint!.ToString()!, SocksUserName = user, SocksPassword = password });
        push.Connect($"tcp://only.the.proxy.knows:{port}");
        await push.SendAsync(Message.Of("through the proxy")).AsTask().WaitAsync(ScriptedPeer.Patience);
        using var message = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("through the proxy", message.Text(0));
        await push.DisposeAsync();
        Assert.Equal("only.the.proxy.knows", await asked.WaitAsync(ScriptedPeer.Patience));
    }

    /// <summary>A proxy for one connection, which takes every name for this host.</summary>
    /// <returns>The name that was asked for.</returns>
    private static async Task<string> ServeAsync(Socket listener, int port, string user, string password)
    {
        using var client = await listener.AcceptAsync();
        using var stream = new NetworkStream(client);
        var methods = new byte[(await ReadAsync(2))[1]];
        await stream.ReadExactlyAsync(methods);
        await stream.WriteAsync(new byte[] { 5, user.Length > 0 ? (byte)2 : (byte)0 });
        if (user.Length > 0)
        {
            Assert.Contains((byte)2, methods);
            Assert.Equal(user, Encoding.UTF8.GetString(await ReadAsync((await ReadAsync(2))[1])));
            Assert.Equal(password, Encoding.UTF8.GetString(await ReadAsync((await ReadAsync(1))[0])));
            await stream.WriteAsync(new byte[] { 1, 0 });
        }

        var request = await ReadAsync(5);
        Assert.Equal("05010003", Convert.ToHexString(request, 0, 4));
        var name = Encoding.ASCII.GetString(await ReadAsync(request[4]));
        await ReadAsync(2);
        using var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await target.ConnectAsync(IPAddress.Loopback, port);
        await stream.WriteAsync(new byte[] { 5, 0, 0, 1, 127, 0, 0, 1, 0, 0 });
        using var onwards = new NetworkStream(target);
        await Task.WhenAny(stream.CopyToAsync(onwards), onwards.CopyToAsync(stream));
        return name;

        async Task<byte[]> ReadAsync(int count)
        {
            var bytes = new byte[count];
            await stream.ReadExactlyAsync(bytes);
            return bytes;
        }
    }
}
