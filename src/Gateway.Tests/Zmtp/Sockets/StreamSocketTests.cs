using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>STREAM: raw TCP, with plain sockets and with libzmq at the other end.</summary>
public class StreamSocketTests
{
    [Fact]
    public async Task A_plain_TCP_client_is_told_of_heard_answered_and_told_of_again()
    {
        await using var socket = new StreamSocket();
        using var client = await ConnectAsync(socket.Bind("tcp://127.0.0.1:*"));
        var id = await ExpectAsync(socket, "");
        Assert.Equal((5, 0), (id.Length, id[0]));
        await client.SendAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray());
        Assert.Equal(id, await ExpectAsync(socket, "GET / HTTP/1.0\r\n\r\n"));
        Assert.True(socket.TrySend(Message.Of(id, [.. "HTTP/1.0 200 OK\r\n\r\n"u8])));
        // Nothing but the bytes: no greeting comes before them.
        Assert.Equal("HTTP/1.0 200 OK\r\n\r\n", await ReadAsync(client, 19));
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(id, await ExpectAsync(socket, ""));
        using var late = Message.Of(id, "late"u8.ToArray());
        Assert.Throws<ZmtpUnreachableException>(() => socket.TrySend(late));
    }

    [Fact]
    public async Task Sending_an_id_alone_closes_the_connection_after_what_was_sent_before()
    {
        await using var socket = new StreamSocket();
        using var client = await ConnectAsync(socket.Bind("tcp://127.0.0.1:*"));
        var id = await ExpectAsync(socket, "");
        var large = new byte[3_000_000];
        Random.Shared.NextBytes(large);
        Assert.True(socket.TrySend(Message.Of(id, large)));
        Assert.True(socket.TrySend(Message.Of(id, [])));
        var received = new byte[large.Length];
        var got = 0;
        while (got < large.Length) got += await client.ReceiveAsync(received.AsMemory(got)).AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal(large, received);
        Assert.Equal(0, await client.ReceiveAsync(received).WaitAsync(ScriptedPeer.Patience));
        Assert.Equal(id, await ExpectAsync(socket, ""));
    }

    [Fact]
    public async Task A_connected_STREAM_talks_to_a_plain_TCP_server_and_connects_again()
    {
        using var listener = new ScriptedListener();
        await using var socket = new StreamSocket(new ZmtpOptions { ReconnectMin = TimeSpan.FromMilliseconds(1), ReconnectMax = TimeSpan.FromMilliseconds(5) });
        socket.Connect(listener.Endpoint);
        await using (var server = await listener.AcceptAsync())
        {
            var id = await ExpectAsync(socket, "");
            await socket.SendAsync(Message.Of(id, "hello"u8.ToArray())).AsTask().WaitAsync(ScriptedPeer.Patience);
            await server.ExpectAsync("hello"u8.ToArray());
            await server.SendAsync("world"u8.ToArray());
            Assert.Equal(id, await ExpectAsync(socket, "world"));
        }

        await ExpectAsync(socket, "");
        await using var again = await listener.AcceptAsync();
        var next = await ExpectAsync(socket, "");
        await again.SendAsync("back"u8.ToArray());
        Assert.Equal(next, await ExpectAsync(socket, "back"));
    }

    [Fact]
    public async Task What_is_large_comes_in_chunks_of_at_most_8_KiB()
    {
        await using var socket = new StreamSocket();
        using var client = await ConnectAsync(socket.Bind("tcp://127.0.0.1:*"));
        await ExpectAsync(socket, "");
        var sending = client.SendAsync(new byte[100_000]).WaitAsync(ScriptedPeer.Patience);
        for (var left = 100_000; left > 0;)
        {
            using var chunk = await socket.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.InRange(chunk[1].Length, 1, 8192);
            left -= chunk[1].Length;
        }

        Assert.Equal(100_000, await sending);
    }

    [Fact]
    public async Task A_reader_that_does_not_read_holds_up_its_own_connection_alone()
    {
        await using var socket = new StreamSocket(new ZmtpOptions { SendHighWaterMark = 3, SendBuffer = 4096 });
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        using var slow = await ConnectAsync(endpoint);
        var slowId = await ExpectAsync(socket, "");
        using var quick = await ConnectAsync(endpoint);
        var quickId = await ExpectAsync(socket, "");
        while (socket.TrySend(Message.Of(slowId, new byte[100_000])))
        {
            // Until that connection is full.
        }

        Assert.True(socket.TrySend(Message.Of(quickId, "quick"u8.ToArray())));
        Assert.Equal("quick", await ReadAsync(quick, 5));
        var waiting = socket.SendAsync(Message.Of(slowId, "end"u8.ToArray())).AsTask();
        Assert.False(waiting.IsCompleted);
        slow.Dispose();
        await Assert.ThrowsAsync<ZmtpUnreachableException>(() => waiting.WaitAsync(ScriptedPeer.Patience));
    }

    [Theory]
    [InlineData("bind")]
    [InlineData("connect")]
    public async Task STREAM_talks_to_STREAM_of_libzmq(string theirRole)
    {
        await using var socket = new StreamSocket();
        await using var peer = await PeerProcess.StartAsync("python", "STREAM", theirRole, theirRole == "bind" ? "tcp://127.0.0.1:*" : socket.Bind("tcp://127.0.0.1:*"));
        if (theirRole == "bind") socket.Connect(peer.Endpoint);
        var id = await ExpectAsync(socket, "");
        await socket.SendAsync(Message.Of(id, "raw bytes"u8.ToArray())).AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal(id, await ExpectAsync(socket, "raw bytes"));
    }

    [Fact]
    public async Task Only_an_id_and_bytes_can_be_sent()
    {
        await using var socket = new StreamSocket();
        using var one = Message.Of("alone");
        using var three = Message.Of("id", "a", "b");
        using var unknown = Message.Of("id", "a");
        Assert.Throws<ArgumentException>(() => socket.TrySend(one));
        Assert.Throws<ArgumentException>(() => socket.TrySend(three));
        Assert.Throws<ZmtpUnreachableException>(() => socket.TrySend(unknown));
    }

    [Theory]
    [InlineData("inproc://name")]
    [InlineData("ws://127.0.0.1:9000")]
    public async Task A_STREAM_takes_only_what_carries_bytes(string endpoint)
    {
        await using var socket = new StreamSocket();
        Assert.Contains("raw bytes over tcp or ipc", Assert.Throws<ArgumentException>(() => socket.Bind(endpoint)).Message, StringComparison.Ordinal);
        Assert.Contains("raw bytes over tcp or ipc", Assert.Throws<ArgumentException>(() => socket.Connect(endpoint)).Message, StringComparison.Ordinal);
    }

    private static async Task<Socket> ConnectAsync(string endpoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPEndPoint.Parse(endpoint["tcp://".Length..])).WaitAsync(ScriptedPeer.Patience);
        return socket;
    }

    /// <returns>The id.</returns>
    private static async Task<byte[]> ExpectAsync(StreamSocket socket, string bytes)
    {
        using var message = await socket.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal((2, bytes), (message.Count, message.Text(1)));
        return message[0].ToArray();
    }

    private static async Task<string> ReadAsync(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var got = 0; got < count;) got += await socket.ReceiveAsync(bytes.AsMemory(got)).AsTask().WaitAsync(ScriptedPeer.Patience);
        return Encoding.ASCII.GetString(bytes);
    }
}
