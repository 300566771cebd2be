using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Zmtp.Transports;

/// <summary>The process at the other end of an ipc connection, as the system knows it (SO_PEERCRED).</summary>
internal static class PeerCredentials
{
    private const int SocketLevel = 1;
    private const int PeerCred = 17;

    /// <summary>As libzmq tells authenticators: <c>localhost:uid:gid:pid</c>; <c>localhost</c> where the system does not say.</summary>
    public static string Describe(Socket socket)
    {
        if (!OperatingSystem.IsLinux()) return "localhost";
        Span<byte> credentials = stackalloc byte[3 * sizeof(int)];
        try
        {
            if (socket.GetRawSocketOption(SocketLevel, PeerCred, credentials) != credentials.Length) return "localhost";
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer has gone again; whoever is asked about it need not know more.
            return "localhost";
        }

        var (pid, uid, gid) = (MemoryMarshal.Read<int>(credentials), MemoryMarshal.Read<uint>(credentials[4..]), MemoryMarshal.Read<uint>(credentials[8..]));
        return $"localhost:{uid}:{gid}:{pid}";
    }
}
