using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Gateway.Tests.TestSupport;

/// <summary>
/// A WebSocket client that sends whatever bytes it is given and reads frames by its own few lines, so that a mistake in Gateway's parser or
/// framing cannot hide itself. Every wait is bounded.
/// </summary>
internal sealed class RawWebSocketClient : IAsyncDisposable
{
    // The key and the answer of RFC 6455, 1.3.
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private const string Accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private NetworkStream? _stream;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    public Stream Stream => _stream ?? throw new InvalidOperationException("Not connected.");

    public Socket Socket => _socket;

    /// <summary>Connects and shakes hands.</summary>
    public static async Task<RawWebSocketClient> OpenAsync(int port, string target = "/", string extraHeaders = "")
    {
        var client = new RawWebSocketClient();
        var head = await client.HandshakeAsync(port,
            $"GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            + $"Sec-WebSocket-Key: {Key}\r\n{extraHeaders}\r\n");
        Assert.StartsWith("HTTP/1.1 101 Switching Protocols\r\n", head, StringComparison.Ordinal);
        Assert.Contains($"\r\nSec-WebSocket-Accept: {Accept}\r\n", head, StringComparison.Ordinal);
        return client;
    }

    /// <summary>Sends a request as it stands.</summary>
    /// <returns>Status line and headers of the answer.</returns>
    public async Task<string> HandshakeAsync(int port, string request)
    {
        await _socket.ConnectAsync("127.0.0.1", port).WaitAsync(Bound);
        _stream = new NetworkStream(_socket, ownsSocket: false);
        await SendAsync(Encoding.Latin1.GetBytes(request));
        var head = new StringBuilder();
        while (head.Length < 4 || head.ToString(head.Length - 4, 4) != "\r\n\r\n") head.Append((char)await ReadByteAsync());
        return head.ToString();
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await Stream.WriteAsync(bytes).AsTask().WaitAsync(Bound);

    /// <summary>What the server still sends until it ends the connection, as text.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        while (await FillAsync(1))
        {
            text.Append(Encoding.UTF8.GetString(_buffer, _start, _end - _start));
            _start = _end;
        }

        return text.ToString();
    }

    /// <summary>The next frame, or null when the server has ended the connection.</summary>
    public async Task<RawFrame?> ReadFrameAsync()
    {
        if (!await FillAsync(2)) return null;
        var (first, second) = (_buffer[_start], _buffer[_start + 1]);
        _start += 2;
        Assert.Equal(0, first & 0x70);
        Assert.Equal(0, second & 0x80);
        long length = second;
        if (second is 126) length = BinaryPrimitives.ReadUInt16BigEndian(await ReadExactlyAsync(2));
        if (second is 127) length = BinaryPrimitives.ReadInt64BigEndian(await ReadExactlyAsync(8));
        Assert.True(second switch { 126 => length > 125, 127 => length > 65_535, _ => true }, "The length is not minimal.");
        return new RawFrame(first & 0x0F, (first & 0x80) != 0, await ReadExactlyAsync(checked((int)length)));
    }

    /// <summary>The next message or control frame, its fragments joined; null at the end of the connection.</summary>
    public async Task<RawFrame?> ReadEventAsync()
    {
        RawFrame? message = null;
        while (await ReadFrameAsync() is { } frame)
        {
            if (frame.Opcode >= 8) return frame;
            Assert.Equal(message is null, frame.Opcode != 0);
            message = message is null ? frame : message with { Fin = frame.Fin, Payload = [.. message.Payload, .. frame.Payload] };
            if (frame.Fin) return message;
        }

        return null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_stream is not null) await _stream.DisposeAsync();
        _socket.Dispose();
    }

    private async Task<byte> ReadByteAsync()
    {
        if (!await FillAsync(1)) throw new EndOfStreamException("The server closed the connection.");
        return _buffer[_start++];
    }

    private async Task<byte[]> ReadExactlyAsync(int count)
    {
        var bytes = new byte[count];
        var buffered = Math.Min(count, _end - _start);
        _buffer.AsSpan(_start, buffered).CopyTo(bytes);
        _start += buffered;
        await Stream.ReadExactlyAsync(bytes.AsMemory(buffered)).AsTask().WaitAsync(Bound);
        return bytes;
    }

    private async Task<bool> FillAsync(int count)
    {
        while (_end - _start < count)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            var read = await Stream.ReadAsync(_buffer.AsMemory(_end)).AsTask().WaitAsync(Bound);
            if (read == 0) return false;
            _end += read;
        }

        return true;
    }
}

/// <summary>A frame as the raw client saw it.</summary>
internal sealed record RawFrame(int Opcode, bool Fin, byte[] Payload)
{
    /// <summary>Code of a close frame, 0 without one.</summary>
    public int CloseCode => Payload.Length < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(Payload);
}
