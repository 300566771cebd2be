using System.Net;
using System.Net.Sockets;
using Zmtp.Transports;

namespace Gateway.Zws;

/// <summary>The bytes of an accepted WebSocket as a link of the engine: for sessions that are the connection's only writer.</summary>
/// <param name="abort">Ends the connection at once.</param>
internal class HttpLink(Stream stream, string remote, Action abort) : Link
{
    /// <inheritdoc/>
    public override string Remote { get; } = remote;

    /// <summary>Address and port of a request's client, as authenticators and logs know them.</summary>
    public static string RemoteOf(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        return new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, context.Connection.RemotePort).ToString();
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException e)
        {
            throw Lost(e);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        try
        {
            await stream.WriteAsync(buffer);
            return buffer.Length;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            throw Lost(e);
        }
    }

    /// <inheritdoc/>
    public override void Abort() => abort();

    /// <summary>Nothing: the web server closes the connection when its request ends.</summary>
    public override ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return default;
    }

    // The engine knows the failures of sockets.
    private static SocketException Lost(Exception e) => e.InnerException as SocketException ?? new SocketException((int)SocketError.ConnectionReset);
}
