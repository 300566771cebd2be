namespace Gateway.Configuration;

/// <summary>Whether a text is an endpoint of a transport spoken here.</summary>
internal static class EndpointSyntax
{
    /// <summary>What is allowed to connect to.</summary>
    public const string ConnectRule = "tcp://host:port, ipc://path, ipc://@name or inproc://name";

    /// <summary>What is allowed to bind.</summary>
    public const string BindRule = "tcp://address:port, tcp://*:port, ipc://path, ipc://@name or inproc://name";

    /// <summary>Whether one can connect to the endpoint.</summary>
    public static bool CanConnect(string endpoint) => IsValid(endpoint, isBound: false);

    /// <summary>Whether one can bind the endpoint.</summary>
    public static bool CanBind(string endpoint) => IsValid(endpoint, isBound: true);

    private static bool IsValid(string endpoint, bool isBound)
    {
        var at = endpoint.IndexOf("://", StringComparison.Ordinal);
        var address = at < 0 ? "" : endpoint[(at + 3)..];
        return (at < 0 ? "" : endpoint[..at]) switch
        {
            "tcp" => IsTcp(address, isBound),
            "ipc" => address.TrimStart('@').Length > 0,
            "inproc" => address.Length is > 0 and <= 256,
            _ => false,
        };
    }

    private static bool IsTcp(string address, bool isBound)
    {
        var colon = address.LastIndexOf(':');
        if (colon <= 0) return false;
        var (host, port) = (address[..colon], address[(colon + 1)..]);
        if (isBound && port == "*") port = "0";
        var isPort = ushort.TryParse(port, System.Globalization.NumberStyles.None, null, out var number) && (isBound || number > 0);
        return isPort && (host == "*" ? isBound : Uri.CheckHostName(host) != UriHostNameType.Unknown);
    }
}
