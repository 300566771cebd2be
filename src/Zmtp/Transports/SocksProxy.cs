using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Zmtp.Transports;

/// <summary>The client's side of SOCKS5 (RFC 1928, RFC 1929): asks a proxy for a connection, and hands it over when it stands.</summary>
internal static class SocksProxy
{
    private const byte Version = 5;
    private const byte NoAuthentication = 0;
    private const byte UserNameAndPassword = 2;

    /// <summary>Host and port of the proxy, or null when the text is not <c>host:port</c>.</summary>
    public static DnsEndPoint? TryParse(string text)
    {
        // The rules for an endpoint's host and port are the ones wanted here.
        return ZmtpEndpoint.TryParse($"tcp://{text}", out var parts, out _) && parts is { Source: null, Port: > 0, Host: not "*" } ? new DnsEndPoint(parts.Host, parts.Port) : null;
    }

    /// <summary>Asks the proxy that <paramref name="socket"/> is connected to for a connection to a host.</summary>
    /// <exception cref="ZmtpException">The proxy refuses or speaks something else; the message says what.</exception>
    public static async Task AskAsync(Socket socket, string host, int port, ZmtpOptions options, CancellationToken cancellationToken)
    {
        var named = options.SocksUserName.Length > 0;
        byte[] methods = named ? [Version, 2, NoAuthentication, UserNameAndPassword] : [Version, 1, NoAuthentication];
        await SendAsync(socket, methods, cancellationToken);
        var choice = await ReceiveAsync(socket, 2, cancellationToken);
        if (choice[0] != Version) throw new ZmtpException($"{options.SocksProxy} is no SOCKS5 proxy.");
        if (choice[1] == UserNameAndPassword && named) await AuthenticateAsync(socket, options, cancellationToken);
        else if (choice[1] != NoAuthentication) throw new ZmtpException($"The SOCKS5 proxy {options.SocksProxy} wants a user name and password, or a method that is not known.");
        await SendAsync(socket, Request(host, port), cancellationToken);
        var reply = await ReceiveAsync(socket, 4, cancellationToken);
        if (reply[1] != 0) throw new ZmtpException($"The SOCKS5 proxy {options.SocksProxy} does not connect to {host}:{port}: {Words(reply[1])}.");
        // The address that the proxy connects from: of no use here, but it has to be read.
        var length = reply[3] switch { 1 => 4, 4 => 16, _ => (await ReceiveAsync(socket, 1, cancellationToken))[0] };
        await ReceiveAsync(socket, length + 2, cancellationToken);
    }

    private static async Task AuthenticateAsync(Socket socket, ZmtpOptions options, CancellationToken cancellationToken)
    {
        var (user, password) = (Encoding.UTF8.GetBytes(options.SocksUserName), Encoding.UTF8.GetBytes(options.SocksPassword));
        byte[] request = [1, (byte)user.Length, .. user, (byte)password.Length, .. password];
        await SendAsync(socket, request, cancellationToken);
        var answer = await ReceiveAsync(socket, 2, cancellationToken);
        if (answer[1] != 0) throw new ZmtpException($"The SOCKS5 proxy {options.SocksProxy} refused the user name and password.");
    }

    private static byte[] Request(string host, int port)
    {
        // Names go as they are: the proxy may see names that this host does not.
        byte[] address = IPAddress.TryParse(host, out var ip)
            ? [(byte)(ip.AddressFamily == AddressFamily.InterNetwork ? 1 : 4), .. ip.GetAddressBytes()]
            : [3, (byte)host.Length, .. Encoding.ASCII.GetBytes(host)];
        var request = new byte[3 + address.Length + 2];
        (request[0], request[1]) = (Version, 1);
        address.CopyTo(request, 3);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(3 + address.Length), (ushort)port);
        return request;
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
    }

    private static async Task<byte[]> ReceiveAsync(Socket socket, int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        for (var got = 0; got < count;)
        {
            var read = await socket.ReceiveAsync(bytes.AsMemory(got), SocketFlags.None, cancellationToken);
            if (read == 0) throw new ZmtpException("The SOCKS5 proxy closed the connection.");
            got += read;
        }

        return bytes;
    }

    private static string Words(byte reply) => reply switch
    {
        2 => "its rules do not allow it",
        3 => "the network is unreachable",
        4 => "the host is unreachable",
        5 => "connection refused",
        6 => "the time to live expired",
        8 => "it does not take this kind of address",
        _ => $"failure {reply}",
    };
}
