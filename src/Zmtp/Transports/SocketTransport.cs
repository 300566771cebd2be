using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Zmtp.Transports.WebSockets;

namespace Zmtp.Transports;

/// <summary>tcp, ipc, ws and wss: endpoints become connected or listening sockets.</summary>
internal static class SocketTransport
{
    private const int LinuxSocketLevel = 1;
    private const int LinuxBindToDevice = 25;
    private const int LinuxIPv6Level = 41;
    private const int LinuxTrafficClass = 67;

    /// <summary>Connects.</summary>
    /// <param name="bareOnly">ws and wss: offer only the subprotocol without a mechanism.</param>
    /// <exception cref="SocketException">Refused, unreachable, no such name.</exception>
    public static async Task<Link> ConnectAsync(ZmtpEndpoint endpoint, ZmtpOptions options, bool bareOnly, CancellationToken cancellationToken)
    {
        using var timeout = options.ConnectTimeout > TimeSpan.Zero
            ? new CancellationTokenSource(options.ConnectTimeout, options.Time)
            : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var socket = endpoint.Scheme == "ipc"
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            Prepare(socket, endpoint, options);
            if (endpoint.Scheme == "ipc")
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(SystemPath(endpoint)), either.Token);
                return new SocketLink(socket, endpoint.ToString());
            }

            if (endpoint.Source is { } source) socket.Bind(source);
            var remote = await ConnectTcpAsync(socket, endpoint, options, either.Token);
            return endpoint.IsWebSocket ? WebSocketTransport.Open(socket, remote, endpoint, options, isClient: true, bareOnly) : new SocketLink(socket, remote);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Binds and listens.</summary>
    /// <param name="bound">The endpoint with the port that the system chose.</param>
    /// <exception cref="ZmtpException">It cannot be bound; the message says why.</exception>
    public static Socket Listen(ZmtpEndpoint endpoint, ZmtpOptions options, out ZmtpEndpoint bound)
    {
        var address = endpoint.Scheme == "ipc" ? new UnixDomainSocketEndPoint(SystemPath(endpoint)) : (EndPoint)new IPEndPoint(BindAddress(endpoint, options.IPv6), endpoint.Port);
        if (endpoint.Scheme == "ipc") RemoveStaleFile(endpoint);
        if (endpoint.Scheme == "wss") options.WssServerCertificate ??= WebSocketTransport.LoadCertificate(options);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, endpoint.Scheme == "ipc" ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            Prepare(socket, endpoint, options);
            // No ReuseAddress: .NET itself lets a port be bound again while old connections time out, and that option would set SO_REUSEPORT as
            // well, with which two processes bind one port and each gets a part of the connections.
            if (address is IPEndPoint { Address: var any } && any.Equals(IPAddress.IPv6Any)) socket.DualMode = endpoint.Host == "*";
            socket.Bind(address);
            socket.Listen(options.Backlog);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new ZmtpException($"{endpoint} cannot be bound: {e.Message}.", e);
        }

        bound = socket.LocalEndPoint is IPEndPoint ip ? endpoint with { Port = ip.Port } : endpoint;
        return socket;
    }

    /// <summary>Makes a link of an accepted socket.</summary>
    public static Link Accepted(Socket socket, ZmtpEndpoint endpoint, ZmtpOptions options)
    {
        Prepare(socket, endpoint, options);
        if (endpoint.IsWebSocket) return WebSocketTransport.Open(socket, Describe(socket), endpoint, options, isClient: false);
        return new SocketLink(socket, endpoint.Scheme == "ipc" ? endpoint.ToString() : Describe(socket));
    }

    /// <summary>Removes the file of a bound ipc endpoint.</summary>
    public static void Unlink(ZmtpEndpoint endpoint)
    {
        if (endpoint.Scheme != "ipc" || endpoint.Host[0] == '@') return;
        try
        {
            File.Delete(endpoint.Host);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Its folder went first, or is no longer ours: then the file is not ours to remove either.
        }
    }

    /// <returns>The peer's address, in words.</returns>
    private static async Task<string> ConnectTcpAsync(Socket socket, ZmtpEndpoint endpoint, ZmtpOptions options, CancellationToken cancellationToken)
    {
        if (options.SocksProxy.Length > 0)
        {
            var proxy = SocksProxy.TryParse(options.SocksProxy)!;
            await socket.ConnectAsync(proxy.Host, proxy.Port, cancellationToken);
            await SocksProxy.AskAsync(socket, endpoint.Host, endpoint.Port, options, cancellationToken);
            return $"{endpoint.Host}:{endpoint.Port}";
        }

        await socket.ConnectAsync(endpoint.Host, endpoint.Port, cancellationToken);
        // A connection from a port to itself is a quirk of TCP on loopback when the listener is away: nobody is there.
        if (Equals(socket.LocalEndPoint, socket.RemoteEndPoint)) throw new ZmtpProtocolException(Wire.ProtocolError.SelfConnection);
        return Describe(socket);
    }

    private static void Prepare(Socket socket, ZmtpEndpoint endpoint, ZmtpOptions options)
    {
        if (options.SendBuffer > 0) socket.SendBufferSize = options.SendBuffer;
        if (options.ReceiveBuffer > 0) socket.ReceiveBufferSize = options.ReceiveBuffer;
        if (endpoint.IsTcp) PrepareTcp(socket, options);
    }

    private static void PrepareTcp(Socket socket, ZmtpOptions options)
    {
        socket.NoDelay = true;
        if (options.TcpKeepAlive is { } probes) socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, probes);
        if (options.TcpKeepAliveCount > 0) socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, options.TcpKeepAliveCount);
        if (options.TcpKeepAliveIdle > TimeSpan.Zero) socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, Seconds(options.TcpKeepAliveIdle));
        if (options.TcpKeepAliveInterval > TimeSpan.Zero) socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, Seconds(options.TcpKeepAliveInterval));
        if (options.TypeOfService > 0) SetTypeOfService(socket, options.TypeOfService);
        if (options.BindToDevice.Length > 0) socket.SetRawSocketOption(LinuxSocketLevel, LinuxBindToDevice, [.. System.Text.Encoding.UTF8.GetBytes(options.BindToDevice), 0]);

        static int Seconds(TimeSpan time) => Math.Max(1, (int)time.TotalSeconds);
    }

    private static void SetTypeOfService(Socket socket, int octet)
    {
        // A socket for both families sends IPv4 packets with the one and IPv6 packets with the other.
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.TypeOfService, octet);
        if (socket.AddressFamily != AddressFamily.InterNetworkV6 || !OperatingSystem.IsLinux()) return;
        socket.SetRawSocketOption(LinuxIPv6Level, LinuxTrafficClass, BitConverter.GetBytes(octet));
    }

    private static string Describe(Socket socket) => socket.RemoteEndPoint switch
    {
        IPEndPoint { Address.IsIPv4MappedToIPv6: true } ip => $"{ip.Address.MapToIPv4()}:{ip.Port}",
        { } other => other.ToString() ?? "",
        null => "",
    };

    private static string SystemPath(ZmtpEndpoint endpoint) => endpoint.Host[0] == '@' ? "\0" + endpoint.Host[1..] : endpoint.Host;

    /// <summary>The address to bind.</summary>
    /// <exception cref="ZmtpException">The host is no address, interface or known name.</exception>
    internal static IPAddress BindAddress(ZmtpEndpoint endpoint, bool takesIPv6)
    {
        if (endpoint.Host == "*") return takesIPv6 && Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        if (IPAddress.TryParse(endpoint.Host, out var address)) return address;
        // As libzmq: the name of an interface, else a name to look up.
        foreach (var nic in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (nic.Name != endpoint.Host) continue;
            foreach (var unicast in nic.GetIPProperties().UnicastAddresses)
            {
                if (unicast.Address.AddressFamily == AddressFamily.InterNetwork) return unicast.Address;
            }

            if (takesIPv6 && nic.GetIPProperties().UnicastAddresses.FirstOrDefault(address => address.Address.AddressFamily == AddressFamily.InterNetworkV6) is { } six) return six.Address;
        }

        try
        {
            return Dns.GetHostAddresses(endpoint.Host)[0];
        }
        catch (SocketException e)
        {
            throw new ZmtpException($"{endpoint} cannot be bound: {endpoint.Host} is no address, interface or known name.", e);
        }
    }

    /// <summary>A socket file that nobody listens on is left over from a process that died; one that answers is in use and stays.</summary>
    private static void RemoveStaleFile(ZmtpEndpoint endpoint)
    {
        if (endpoint.Host[0] == '@' || !File.Exists(endpoint.Host)) return;
        // Connecting to an ordinary file is refused as well, and that one must not be deleted; a socket has no length.
        if (new FileInfo(endpoint.Host).Length > 0) throw new ZmtpException($"{endpoint} cannot be bound: {endpoint.Host} exists and is no socket.");
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(endpoint.Host));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(endpoint.Host);
            return;
        }
        catch (SocketException e)
        {
            throw new ZmtpException($"{endpoint} cannot be bound: {endpoint.Host} exists and is no socket ({e.Message}).", e);
        }

        throw new ZmtpException($"{endpoint} cannot be bound: another process listens on it.");
    }
}
