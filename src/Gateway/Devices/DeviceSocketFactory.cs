using System.Text;
using Gateway.Backends;
using Gateway.Configuration;
using Zmtp;
using Zmtp.Proxies;
using Zmtp.Sockets;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Gateway.Devices;

/// <summary>Makes the sockets of a device and joins them.</summary>
internal sealed class DeviceSocketFactory(InprocRegistry inproc, SocketSecurer securer, TimeProvider time)
{
    // Where a message is held as a whole, one peer's word is not enough to hold any length: a frame of 64 MiB, and the envelope in front of it.
    private const long MaxHeldWhole = (64L << 20) + (64 << 10);

    /// <summary>Makes the proxy and opens its endpoints.</summary>
    /// <param name="events">Told of connections, with the side.</param>
    /// <exception cref="DeviceStartException">An endpoint cannot be used; the message names the setting.</exception>
    public async Task<ZmtpProxy> OpenAsync(string name, DeviceOptions device, Action<string, SocketEvent> events)
    {
        var (frontend, backend) = (DeviceSockets.Frontend(device), DeviceSockets.Backend(device));
        var hasMonitor = DeviceSockets.HasEndpoint(device.Monitor);
        var hasControl = DeviceSockets.HasEndpoint(device.Control);
        var isHeldWhole = hasMonitor || frontend is not (SocketType.Router or SocketType.Dealer or SocketType.Pair or SocketType.Pull or SocketType.Push or SocketType.Gather or SocketType.Scatter or SocketType.Channel);
        var (inPrefix, outPrefix) = DeviceSockets.Prefixes(device);
        ZmtpSocket Make(string side, DeviceSideOptions options, SocketType type) => Socket($"{name}:{side}", options, type, isHeldWhole ? MaxHeldWhole : 0, e => events(side, e));
        var control = hasControl ? Make("Control", device.Control, DeviceSockets.Control(device)) : null;
        var proxy = new ZmtpProxy(
            Make("Frontend", device.Frontend, frontend), Make("Backend", device.Backend, backend), new ProxyOptions
            {
                Monitor = hasMonitor ? Make("Monitor", device.Monitor, DeviceSockets.Monitor(device)) : null,
                InPrefix = inPrefix,
                OutPrefix = outPrefix,
                Control = control,
                FullPeerTimeout = device.FullPeerTimeout,
            });
        try
        {
            Open($"{name}:Backend", proxy.Backend, device.Backend, frontend);
            if (proxy.Monitor is not null) Open($"{name}:Monitor", proxy.Monitor, device.Monitor, SocketType.None);
            if (control is not null) Open($"{name}:Control", control, device.Control, SocketType.None);
            // Last: from here on messages come, and the other sockets are there to take them.
            Open($"{name}:Frontend", proxy.Frontend, device.Frontend, backend);
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    private ZmtpSocket Socket(string path, DeviceSideOptions side, SocketType type, long maxMessageSize, Action<SocketEvent> events)
    {
        var options = new ZmtpOptions { MaxMessageSize = maxMessageSize, Inproc = inproc, Time = time };
        side.Options.ApplyTo(options);
        if (side.Identity.Length > 0) options.Identity = Encoding.UTF8.GetBytes(side.Identity);
        securer.Secure(options, side.Security, $"{GatewayOptions.SectionName}:Devices:{path}:Security");
        side.Tls.Apply(options, $"{GatewayOptions.SectionName}:Devices:{path}:Tls");
        options.Events = events;
        return type switch
        {
            SocketType.Router => new RouterSocket(options),
            SocketType.Dealer => new DealerSocket(options),
            SocketType.XSub => new XSubSocket(options),
            SocketType.Sub => new SubSocket(options),
            SocketType.XPub => new XPubSocket(options),
            SocketType.Pub => new PubSocket(options),
            SocketType.Pull => new PullSocket(options),
            SocketType.Push => new PushSocket(options),
            SocketType.Rep => new RepSocket(options),
            SocketType.Pair => new PairSocket(options),
            SocketType.Gather => new GatherSocket(options),
            SocketType.Scatter => new ScatterSocket(options),
            SocketType.Channel => new ChannelSocket(options),
            SocketType.Dish => new DishSocket(options),
            SocketType.Radio => new RadioSocket(options),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "The configuration was checked."),
        };
    }

    private static void Open(string path, ZmtpSocket socket, DeviceSideOptions side, SocketType opposite)
    {
        if (socket is SubscribingSocket subscriber)
        {
            foreach (var prefix in DeviceSockets.Subscriptions(side, socket.Type, opposite)) subscriber.Subscribe(prefix);
        }

        if (socket is DishSocket dish)
        {
            foreach (var group in side.Subscribe) dish.Join(group);
        }

        for (var at = 0; at < side.Bind.Count; at++) Try($"{path}:Bind:{at}", side.Bind[at], endpoint => socket.Bind(endpoint));
        for (var at = 0; at < side.Connect.Count; at++) Try($"{path}:Connect:{at}", side.Connect[at], socket.Connect);
    }

    private static void Try(string path, string endpoint, Action<string> open)
    {
        try
        {
            open(endpoint);
        }
        catch (Exception e) when (e is ZmtpException or ArgumentException)
        {
            throw new DeviceStartException($"Gateway:Devices:{path} is \"{endpoint}\", which cannot be used: {e.Message}", e);
        }
    }
}

/// <summary>An endpoint of a device cannot be used; the message names the setting.</summary>
internal sealed class DeviceStartException(string message, Exception inner) : Exception(message, inner);
