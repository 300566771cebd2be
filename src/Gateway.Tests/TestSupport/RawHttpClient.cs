using System.Net.Sockets;
using System.Text;

namespace Gateway.Tests.TestSupport;

/// <summary>Speaks HTTP byte by byte, to see what a client library hides.</summary>
internal sealed class RawHttpClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    /// <param name="receiveBuffer">Size of the kernel's receive buffer, for a client that reads slowly; 0 for the system's.</param>
    public RawHttpClient(Uri address, int receiveBuffer = 0)
    {
        if (receiveBuffer > 0) _socket.ReceiveBufferSize = receiveBuffer;
        _socket.Connect(address.Host, address.Port);
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[await _socket.SendAsync(bytes).AsTask().WaitAsync(Patience)..];
    }

    /// <summary>0 at the end of the connection, also when it was reset.</summary>
    public async Task<int> ReceiveAsync(Memory<byte> buffer)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer).AsTask().WaitAsync(Patience);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }

    /// <summary>All that comes until the connection ends.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var text = new StringBuilder();
        var buffer = new byte[64 * 1024];
        while (await ReceiveAsync(buffer) is > 0 and var read) text.Append(Encoding.Latin1.GetString(buffer, 0, read));
        return text.ToString();
    }

    /// <summary>Reads until the text has come.</summary>
    public async Task<string> ReadUntilAsync(string end)
    {
        var text = new StringBuilder();
        var buffer = new byte[1];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal) && await ReceiveAsync(buffer) > 0) text.Append((char)buffer[0]);
        return text.ToString();
    }

    /// <summary>Ends the connection with RST instead of FIN.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    public void Dispose() => _socket.Dispose();
}
