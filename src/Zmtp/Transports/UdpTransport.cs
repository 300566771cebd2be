using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Zmtp.Transports;

/// <summary>udp: endpoints become sockets that send to an address or a multicast group, or receive from them.</summary>
internal static class UdpTransport
{
    /// <summary>Largest datagram sent, in bytes: what libzmq sends and takes (its MAX_UDP_MSG).</summary>
    public const int MaxDatagram = 8192;

    /// <summary>Largest datagram that UDP can carry.</summary>
    public const int MaxReceived = 65_535;

    /// <summary>A socket to send from, and whom to send to.</summary>
    /// <exception cref="SocketException">The name is not known, or the interface does not exist.</exception>
    public static async Task<(Socket Socket, IPEndPoint Destination)> OpenSenderAsync(ZmtpEndpoint endpoint, ZmtpOptions options, CancellationToken cancellationToken)
    {
        var address = IPAddress.TryParse(endpoint.Host, out var literal) ? literal : (await Dns.GetHostAddressesAsync(endpoint.Host, cancellationToken))[0];
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            if (options.SendBuffer > 0) socket.SendBufferSize = options.SendBuffer;
            if (address.IsMulticast()) AimAtGroup(socket, endpoint, options);
            return (socket, new IPEndPoint(address, endpoint.Port));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A bound socket, which has joined the endpoint's multicast group if it names one.</summary>
    /// <param name="bound">The endpoint with the port that the system chose.</param>
    /// <exception cref="ZmtpException">It cannot be bound; the message says why.</exception>
    public static Socket OpenReceiver(ZmtpEndpoint endpoint, ZmtpOptions options, out ZmtpEndpoint bound)
    {
        var address = SocketTransport.BindAddress(endpoint, options.IPv6);
        var isGroup = address.IsMulticast();
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (options.ReceiveBuffer > 0) socket.ReceiveBufferSize = options.ReceiveBuffer;
            // Several processes of one machine may listen to a group, each on the same port.
            if (isGroup) socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            var any = address.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
            socket.Bind(new IPEndPoint(isGroup ? any : address, endpoint.Port));
            if (isGroup) JoinGroup(socket, address, endpoint.Interface);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new ZmtpException($"{endpoint} cannot be bound: {e.Message}.", e);
        }

        bound = endpoint with { Port = ((IPEndPoint)socket.LocalEndPoint!).Port };
        return socket;
    }

    private static void AimAtGroup(Socket socket, ZmtpEndpoint endpoint, ZmtpOptions options)
    {
        var isV6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        var level = isV6 ? SocketOptionLevel.IPv6 : SocketOptionLevel.IP;
        socket.SetSocketOption(level, SocketOptionName.MulticastTimeToLive, options.MulticastHops);
        socket.SetSocketOption(level, SocketOptionName.MulticastLoopback, options.MulticastLoop);
        if (endpoint.Interface is null or "*") return;
        var address = LocalAddress(endpoint.Interface, socket.AddressFamily, out var index);
        if (isV6) socket.SetSocketOption(level, SocketOptionName.MulticastInterface, index);
        else socket.SetSocketOption(level, SocketOptionName.MulticastInterface, BitConverter.ToInt32(address.GetAddressBytes()));
    }

    private static void JoinGroup(Socket socket, IPAddress group, string? name)
    {
        var isAny = name is null or "*";
        if (group.AddressFamily == AddressFamily.InterNetworkV6)
        {
            var index = 0;
            if (!isAny) LocalAddress(name!, group.AddressFamily, out index);
            socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.AddMembership, new IPv6MulticastOption(group, index));
            return;
        }

        var local = isAny ? IPAddress.Any : LocalAddress(name!, group.AddressFamily, out _);
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(group, local));
    }

    /// <summary>The address and index of an interface that is named or given by one of its addresses.</summary>
    private static IPAddress LocalAddress(string name, AddressFamily family, out int index)
    {
        index = 0;
        foreach (var nic in NetworkInterface.GetAllNetworkInterfaces())
        {
            var properties = nic.GetIPProperties();
            foreach (var unicast in properties.UnicastAddresses)
            {
                if (unicast.Address.AddressFamily != family || (nic.Name != name && unicast.Address.ToString() != name)) continue;
                if (family == AddressFamily.InterNetworkV6) index = properties.GetIPv6Properties().Index;
                return unicast.Address;
            }
        }

        throw new SocketException((int)SocketError.AddressNotAvailable, $"no interface has the name or address {name}");
    }
}
