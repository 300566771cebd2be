using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Zmtp.Authentication;

/// <summary>Addresses of peers: IP addresses, networks, and processes of this machine that come by ipc.</summary>
internal sealed class AddressList
{
    /// <summary>What an entry may be, in words that follow <c>allowed:</c>.</summary>
    public const string Rule = "an IP address, a network such as 10.0.0.0/8, ipc for every ipc peer, or uid:NUMBER for the ipc peers of a user";

    private const string IpcPrefix = "localhost";
    private readonly List<IPNetwork> _networks = [];
    private readonly HashSet<string> _users = new(StringComparer.Ordinal);
    private bool _ipc;

    /// <summary>Reads a list.</summary>
    /// <exception cref="ArgumentException">An entry is none; the message names it.</exception>
    public AddressList(IEnumerable<string> entries)
    {
        foreach (var entry in entries)
        {
            if (!TryAdd(entry)) throw new ArgumentException($"\"{entry}\" is not {Rule}.", nameof(entries));
        }
    }

    /// <summary>Whether nothing is in it.</summary>
    public bool IsEmpty => _networks.Count == 0 && _users.Count == 0 && !_ipc;

    /// <summary>Whether a text could be an entry.</summary>
    public static bool IsEntry(string text) => new AddressList([]).TryAdd(text);

    /// <param name="address">As in <see cref="Zmtp.Security.AuthenticationRequest.Address"/>.</param>
    public bool Contains(string address)
    {
        if (address == IpcPrefix || address.StartsWith($"{IpcPrefix}:", StringComparison.Ordinal))
            return _ipc || (address.Split(':') is [_, var user, ..] && _users.Contains(user));
        return IPAddress.TryParse(address, out var ip) && _networks.Exists(network => network.Contains(Plain(ip)));
    }

    private bool TryAdd(string entry)
    {
        if (entry == "ipc") return _ipc = true;
        if (entry.StartsWith("uid:", StringComparison.Ordinal)) return TryAddUser(entry[4..]);
        if (IPNetwork.TryParse(entry, out var network)) return Add(network);
        // Old notations, such as 1 for 0.0.0.1, are more likely mistakes.
        if (!IPAddress.TryParse(entry, out var ip) || (!entry.Contains(':', StringComparison.Ordinal) && entry.Count('.') != 3)) return false;
        ip = Plain(ip);
        return Add(new IPNetwork(ip, ip.GetAddressBytes().Length * 8));
    }

    private bool TryAddUser(string number)
    {
        if (!uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var user)) return false;
        _users.Add(user.ToString(CultureInfo.InvariantCulture));
        return true;
    }

    private bool Add(IPNetwork network)
    {
        _networks.Add(network);
        return true;
    }

    /// <summary>IPv4 in IPv6 clothes is IPv4, and the interface over which a link-local address came is no part of it.</summary>
    private static IPAddress Plain(IPAddress ip)
    {
        if (ip.IsIPv4MappedToIPv6) return ip.MapToIPv4();
        return ip.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress(ip.GetAddressBytes()) : ip;
    }
}
