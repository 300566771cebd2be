using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Zmtp.Transports;

namespace Gateway.Tests.TestSupport;

/// <summary>A peer that does byte by byte what a test says, over a real socket or in memory. Every wait is bounded.</summary>
internal sealed class ScriptedPeer(Link link, Socket? socket = null) : IAsyncDisposable
{
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(20);

    /// <summary>Whether every byte goes out as a packet of its own.</summary>
    public bool Drips { get; set; }

    /// <summary>Connects to <c>tcp://127.0.0.1:port</c> or <c>ipc://path</c>.</summary>
    public static async Task<ScriptedPeer> ConnectAsync(string endpoint, int receiveBuffer = 0, string? from = null)
    {
        var isTcp = endpoint.StartsWith("tcp://", StringComparison.Ordinal);
        var rest = endpoint[6..];
        EndPoint address = isTcp ? IPEndPoint.Parse(rest) : new UnixDomainSocketEndPoint(rest);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, isTcp ? ProtocolType.Tcp : ProtocolType.Unspecified);
        if (isTcp) socket.NoDelay = true;
        if (receiveBuffer > 0) socket.ReceiveBufferSize = receiveBuffer;
        if (from is not null) socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(address).WaitAsync(Patience);
        return Over(socket);
    }

    public static ScriptedPeer Over(Socket socket) => new(new SocketLink(socket, ""), socket);

    public async Task SendAsync(params byte[][] units)
    {
        foreach (var unit in units)
        {
            var step = Drips ? 1 : Math.Max(unit.Length, 1);
            for (var at = 0; at < unit.Length; at += step)
            {
                ReadOnlyMemory<byte> rest = unit.AsMemory(at, step);
                while (!rest.IsEmpty) rest = rest[await link.SendAsync(rest).AsTask().WaitAsync(Patience)..];
            }
        }
    }

    /// <summary>Exactly so many bytes.</summary>
    public async Task<byte[]> ReceiveAsync(int count)
    {
        var bytes = new byte[count];
        for (var got = 0; got < count;)
        {
            var read = await link.ReceiveAsync(bytes.AsMemory(got), default).AsTask().WaitAsync(Patience);
            Assert.True(read > 0, $"closed after {Convert.ToHexString(bytes, 0, got)}, {count} bytes were expected");
            got += read;
        }

        return bytes;
    }

    public async Task ExpectAsync(params byte[][] units)
    {
        foreach (var unit in units) Assert.Equal(Convert.ToHexString(unit), Convert.ToHexString(await ReceiveAsync(unit.Length)));
    }

    /// <summary>The next frame, of a message or a command.</summary>
    public async Task<(byte Flags, byte[] Body)> ReceiveFrameAsync()
    {
        var start = await ReceiveAsync(2);
        if ((start[0] & 2) == 0) return (start[0], await ReceiveAsync(start[1]));
        var length = new byte[8];
        length[0] = start[1];
        (await ReceiveAsync(7)).CopyTo(length, 1);
        return (start[0], await ReceiveAsync((int)BinaryPrimitives.ReadInt64BigEndian(length)));
    }

    /// <summary>The frames of the next message; commands between are left out.</summary>
    public async Task<byte[][]> ReceiveMessageAsync()
    {
        var frames = new List<byte[]>();
        while (true)
        {
            var (flags, body) = await ReceiveFrameAsync();
            if ((flags & 4) != 0) continue;
            frames.Add(body);
            if ((flags & 1) == 0) return [.. frames];
        }
    }

    /// <summary>Everything up to the other side's close.</summary>
    public async Task<byte[]> ReceiveToEndAsync()
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[4096];
        try
        {
            while (await link.ReceiveAsync(buffer, default).AsTask().WaitAsync(Patience) is > 0 and var count) await bytes.WriteAsync(buffer.AsMemory(0, count));
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            // A reset is an end as well: what we had sent was not read to its end.
        }

        return bytes.ToArray();
    }

    /// <summary>Sends greeting and READY, and takes the other side's.</summary>
    public async Task HandshakeAsync(string socketType, byte minor = 1, byte[]? identity = null)
    {
        await SendAsync(ZmtpBytes.Greeting(minor), ZmtpBytes.Ready(socketType, identity));
        await ReceiveAsync(64);
        var (flags, body) = await ReceiveFrameAsync();
        Assert.Equal((4, "05524541"), (flags, Convert.ToHexString(body, 0, 4)));
    }

    /// <summary>No more bytes from us; the other direction stays open.</summary>
    public void EndSending() => socket!.Shutdown(SocketShutdown.Send);

    /// <summary>Ends the connection with RST instead of FIN.</summary>
    public void Reset()
    {
        socket!.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public ValueTask DisposeAsync() => link.DisposeAsync();
}
