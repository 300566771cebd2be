using System.Net.Sockets;

namespace Zmtp.Transports;

/// <summary>A link over a connected TCP or Unix-domain socket.</summary>
internal sealed class SocketLink(Socket socket, string remote) : Link
{
    public override string Remote { get; } = remote;

    public override string Address => socket.AddressFamily == AddressFamily.Unix ? PeerCredentials.Describe(socket) : base.Address;

    public override ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);

    public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer) => socket.SendAsync(buffer, SocketFlags.None, CancellationToken.None);

    public override void Abort() => socket.Dispose();

    public override ValueTask DisposeAsync()
    {
        // A FIN first, so that a peer which still reads gets what was sent.
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer closed first or the link was aborted: there is nothing left to shut down.
        }

        socket.Dispose();
        return default;
    }
}
