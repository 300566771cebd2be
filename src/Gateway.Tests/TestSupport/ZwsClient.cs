using System.Text;

namespace Gateway.Tests.TestSupport;

/// <summary>A ZeroMQ peer over WebSocket that does what a test says, over a raw client.</summary>
internal sealed class ZwsClient(RawWebSocketClient socket) : IAsyncDisposable
{
    public RawWebSocketClient Socket => socket;

    /// <summary>Connects and shakes hands as NULL.</summary>
    /// <returns>The client, and what the server says it is.</returns>
    public static async Task<(ZwsClient Client, string ServerType)> OpenAsync(int port, string target, string socketType)
    {
        var client = new ZwsClient(await RawWebSocketClient.OpenAsync(port, target, "Sec-WebSocket-Protocol: ZWS2.0/NULL,ZWS2.0\r\n"));
        await client.SendAsync(ZwsBytes.Ready(socketType, mask: true));
        var ready = (await client.Socket.ReadFrameAsync())!.Payload;
        Assert.Equal([2, 5, .. "READY\u000BSocket-Type"u8], ready[..19]);
        return (client, Encoding.ASCII.GetString(ready[23..(23 + ready[22])]));
    }

    /// <summary>Connects without a mechanism, as jszmq does: routing ids instead of a handshake.</summary>
    public static async Task<ZwsClient> OpenBareAsync(int port, string target, string routingId = "")
    {
        var client = new ZwsClient(await RawWebSocketClient.OpenAsync(port, target, "Sec-WebSocket-Protocol: ZWS2.0\r\n"));
        await client.SendAsync(ZwsBytes.Message(mask: true, routingId));
        Assert.Equal([0], (await client.Socket.ReadFrameAsync())!.Payload);
        return client;
    }

    public Task SendAsync(byte[] bytes) => socket.SendAsync(bytes);

    public Task SendMessageAsync(params string[] frames) => SendAsync(ZwsBytes.Message(mask: true, frames));

    /// <summary>Subscribes, or takes it back, and waits until that is done: the loop that sends has then run once more.</summary>
    public async Task SubscribeAsync(string topic, bool subscribe = true)
    {
        await SendMessageAsync((subscribe ? "\u0001" : "\u0000") + topic);
        await SettleAsync();
    }

    /// <summary>Two pongs: the first may be sent in the same turn of the sender in which a change comes after it.</summary>
    public async Task SettleAsync()
    {
        for (var i = 0; i < 2; i++)
        {
            await SendAsync(ZwsBytes.WebSocket(9, [(byte)i], mask: true));
            var pong = await socket.ReadFrameAsync();
            Assert.Equal((10, i), (pong!.Opcode, pong.Payload[0]));
        }
    }

    /// <summary>The frames of the next message; pings between are left out.</summary>
    public async Task<string> ReadMessageAsync()
    {
        var frames = new List<string>();
        while (true)
        {
            var frame = await socket.ReadFrameAsync() ?? throw new EndOfStreamException("The server closed the connection.");
            if (frame.Opcode == 9) continue;
            Assert.Equal((2, true), (frame.Opcode, frame.Fin));
            frames.Add(Encoding.Latin1.GetString(frame.Payload, 1, frame.Payload.Length - 1));
            if (frame.Payload[0] == 0) return string.Join('|', frames);
            Assert.Equal(1, frame.Payload[0]);
        }
    }

    /// <summary>The code of the close that comes next.</summary>
    public async Task<int> ReadCloseAsync()
    {
        while (await socket.ReadFrameAsync() is { } frame)
        {
            if (frame.Opcode == 8) return frame.CloseCode;
        }

        throw new EndOfStreamException("The connection ended without a close.");
    }

    public ValueTask DisposeAsync() => socket.DisposeAsync();
}
