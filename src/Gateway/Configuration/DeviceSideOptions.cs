namespace Gateway.Configuration;

/// <summary>One socket of a device.</summary>
public class DeviceSideOptions
{
    /// <summary>Names of sockets that stand at a side; XREQ and XREP are the old names of DEALER and ROUTER.</summary>
    internal const string SocketRule = "one of ROUTER (XREP), DEALER (XREQ), XSUB, SUB, XPUB, PUB, PULL, PUSH, PAIR; for Control PAIR, REP, DEALER, PULL, SUB; for Monitor PUB, XPUB, PUSH, PAIR, DEALER";

    /// <summary>Type of the socket; the old names XREQ and XREP are taken too. Default by the device's Type and side.</summary>
    [Allowed(SocketRule)]
    public string Socket { get; set; } = "";

    /// <summary>Endpoints to bind, as a backend's.</summary>
    [Allowed(EndpointSyntax.BindRule)]
    public List<string> Bind { get; set; } = [];

    /// <summary>Endpoints to connect to, as a backend's. Connect and Bind together name at least one endpoint.</summary>
    [Allowed(EndpointSyntax.ConnectRule)]
    public List<string> Connect { get; set; } = [];

    /// <summary>Identity announced to ROUTER peers; the same as <c>Options:Identity</c>. Default none.</summary>
    [Allowed("a text of up to 255 bytes as UTF-8, not beginning with a zero byte")]
    public string Identity { get; set; } = "";

    /// <summary>What a SUB or XSUB subscribes to by itself. Default: what subscribers at an XPUB ask for; everything opposite other sockets. A DISH needs it: the groups that it joins.</summary>
    [Allowed("prefixes, an empty one for everything; for a DISH exact names of groups")]
    public List<string> Subscribe { get; set; } = [];

    /// <summary>The socket's options.</summary>
    public SocketOptions Options { get; set; } = new();

    /// <summary>How its connections are secured, and who may come in. Default: not at all.</summary>
    public SecurityOptions Security { get; set; } = new();

    /// <summary>TLS of its <c>wss://</c> endpoints.</summary>
    public TlsOptions Tls { get; set; } = new();
}

/// <summary>The monitor of a device: every message is shown here as <c>[prefix] frames…</c>. What it has no room for it misses; it never holds the device up.</summary>
public sealed class DeviceMonitorOptions : DeviceSideOptions
{
    /// <summary>First frame of messages from the frontend; empty for none. Default <c>in</c> for a MonitoredQueue, else none.</summary>
    public string? In { get; set; }

    /// <summary>First frame of messages from the backend; empty for none. Default <c>out</c> for a MonitoredQueue, else none.</summary>
    public string? Out { get; set; }
}
