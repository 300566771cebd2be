using System.Net;
using System.Net.Sockets;

namespace Zmtp.Transports;

/// <summary>Which addresses are multicast groups.</summary>
internal static class MulticastAddresses
{
    /// <summary>224.0.0.0/4 or ff00::/8.</summary>
    public static bool IsMulticast(this IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6
        ? address.IsIPv6Multicast
        : address.GetAddressBytes()[0] is >= 224 and <= 239;
}
