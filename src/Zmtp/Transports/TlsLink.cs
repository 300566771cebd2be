using System.Net.Security;
using System.Net.Sockets;

namespace Zmtp.Transports;

/// <summary>A link over TLS on a connected TCP socket.</summary>
/// <param name="authenticate">Does the handshake of one side.</param>
internal sealed class TlsLink(Socket socket, string remote, Func<SslStream, CancellationToken, Task> authenticate) : Link
{
    private static readonly TimeSpan ShutdownTime = TimeSpan.FromSeconds(1);
    private readonly SslStream _stream = new(new NetworkStream(socket, ownsSocket: false));

    public override string Remote { get; } = remote;

    internal override async ValueTask<SessionForm> OpenAsync(ILinkSignals signals, CancellationToken cancellationToken)
    {
        try
        {
            await authenticate(_stream, cancellationToken);
        }
        catch (Exception e) when (e is System.Security.Authentication.AuthenticationException or IOException)
        {
            throw new ZmtpProtocolException(Wire.ProtocolError.UpgradeFailed, $"TLS: {(e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message)}");
        }

        return SessionForm.Zmtp;
    }

    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _stream.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException e)
        {
            throw Lost(e);
        }
    }

    public override async ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        try
        {
            await _stream.WriteAsync(buffer);
            return buffer.Length;
        }
        catch (IOException e)
        {
            throw Lost(e);
        }
    }

    public override void Abort() => socket.Dispose();

    public override async ValueTask DisposeAsync()
    {
        try
        {
            // A peer that does not read must not hold up the end.
            await _stream.ShutdownAsync().WaitAsync(ShutdownTime);
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException or TimeoutException or System.Security.Authentication.AuthenticationException)
        {
            // The peer closed first, the link was aborted or TLS was never agreed on: there is nothing left to shut down.
        }

        await _stream.DisposeAsync();
        socket.Dispose();
    }

    // The session knows the failures of sockets.
    private static SocketException Lost(IOException e) => e.InnerException as SocketException ?? new SocketException((int)SocketError.ConnectionReset);
}
