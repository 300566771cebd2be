using System.Net;

namespace Gateway.Devices;

/// <summary>Whether a request comes from this machine. Until there is access control nobody else steers or watches.</summary>
internal static class LocalOnly
{
    /// <summary>
    /// True for a loopback address, and for a Unix domain socket, whose peer has none. Not for what a proxy says that it hands on for
    /// somebody else.
    /// </summary>
    public static bool Holds(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers.ContainsKey("Forwarded") || headers.ContainsKey("X-Forwarded-For")) return false;
        return context.Connection.RemoteIpAddress is not { } address
            || IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
    }
}
