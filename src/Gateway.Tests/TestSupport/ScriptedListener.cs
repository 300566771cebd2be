using System.Net;
using System.Net.Sockets;

namespace Gateway.Tests.TestSupport;

/// <summary>Where sockets under test connect to; each accepted connection is a <see cref="ScriptedPeer"/>.</summary>
internal sealed class ScriptedListener : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ScriptedListener(int receiveBuffer = 0)
    {
        if (receiveBuffer > 0) _socket.ReceiveBufferSize = receiveBuffer;
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _socket.Listen(100);
    }

    public string Endpoint => $"tcp://{_socket.LocalEndPoint}";

    public async Task<ScriptedPeer> AcceptAsync()
    {
        var accepted = await _socket.AcceptAsync().WaitAsync(ScriptedPeer.Patience);
        accepted.NoDelay = true;
        return ScriptedPeer.Over(accepted);
    }

    /// <summary>Accepts a connection and shakes hands.</summary>
    public async Task<ScriptedPeer> AcceptAsync(string socketType, byte minor = 1, byte[]? identity = null)
    {
        var peer = await AcceptAsync();
        await peer.HandshakeAsync(socketType, minor, identity);
        return peer;
    }

    public void Dispose() => _socket.Dispose();
}
