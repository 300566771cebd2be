using System.Text;
using Zmtp;
using Zmtp.Proxies;
using Zmtp.Wire;

namespace Gateway.Configuration;

/// <summary>The rules that hold between the settings of a device.</summary>
internal sealed class DeviceRules(OptionsReader given)
{
    private readonly List<ConfigurationProblem> _problems = [];
    private bool _hasType;

    /// <summary>Everything that is wrong with a device.</summary>
    public IReadOnlyList<ConfigurationProblem> Check(string path, DeviceOptions device)
    {
        _hasType = device.Type.Length > 0;
        var family = DeviceSockets.Family(device.Type);
        var allowed = family.Count > 0 ? family : [.. Enum.GetValues<SocketType>().Where(type => type != SocketType.None && ProxyPairs.With(type).Count > 0)];
        var because = family.Count > 0 ? $" for a {device.Type}; Type Proxy takes every pair that fits" : "";
        var (frontend, backend) = (DeviceSockets.Frontend(device), DeviceSockets.Backend(device));
        var frontendIsGood = CheckType($"{path}:Frontend", device.Frontend, frontend, allowed, because);
        var backendIsGood = CheckType($"{path}:Backend", device.Backend, backend, allowed, because);
        if (frontendIsGood && backendIsGood && DeviceSockets.Problem(frontend, backend) is { } problem) _problems.Add(new(path, $"has sockets that do not fit: {problem}."));
        CheckSide($"{path}:Frontend", device.Frontend, frontend, isNeeded: true);
        CheckSide($"{path}:Backend", device.Backend, backend, isNeeded: true);
        CheckMonitor($"{path}:Monitor", device);
        if (given.IsGiven($"{path}:Control"))
        {
            CheckType($"{path}:Control", device.Control, DeviceSockets.Control(device), ProxyPairs.Controls, "");
            CheckSide($"{path}:Control", device.Control, DeviceSockets.Control(device), isNeeded: true);
        }

        Demand(device.RestartMax >= device.RestartMin, $"{path}:RestartMax", device.RestartMax, $"at least RestartMin, which is {SettingDescription.TextOf(device.RestartMin)}");
        return _problems;
    }

    private void CheckMonitor(string path, DeviceOptions device)
    {
        var isNeeded = device.Type.Equals("MonitoredQueue", StringComparison.OrdinalIgnoreCase);
        if (!isNeeded && !given.IsGiven(path)) return;
        var type = DeviceSockets.Monitor(device);
        CheckType(path, device.Monitor, type, ProxyPairs.Monitors, "");
        CheckSide(path, device.Monitor, type, isNeeded: true);
        foreach (var (name, prefix) in ((string, string?)[])[("In", device.Monitor.In), ("Out", device.Monitor.Out)])
        {
            Demand(prefix is null || Encoding.UTF8.GetByteCount(prefix) <= 255, $"{path}:{name}", prefix, "a text of up to 255 bytes as UTF-8, or an empty one for none");
        }
    }

    private bool CheckType(string path, DeviceSideOptions side, SocketType type, IReadOnlyList<SocketType> allowed, string because)
    {
        // A Type that is wrong has been reported; what its sockets would be is not known.
        if (allowed.Contains(type) || (side.Socket.Length == 0 && type == SocketType.None && !_hasType)) return allowed.Contains(type);
        if (side.Socket.Length == 0) _problems.Add(ConfigurationProblem.Missing($"{path}:Socket", $"one of {DeviceSockets.Names(allowed)}"));
        else Demand(false, $"{path}:Socket", side.Socket, $"one of {DeviceSockets.Names(allowed)}{because}");
        return false;
    }

    private void CheckSide(string path, DeviceSideOptions side, SocketType type, bool isNeeded)
    {
        CheckEndpoints($"{path}:Connect", side.Connect, endpoint => EndpointSyntax.ConnectError(endpoint, type));
        CheckEndpoints($"{path}:Bind", side.Bind, endpoint => EndpointSyntax.BindError(endpoint, type));
        if (isNeeded && !DeviceSockets.HasEndpoint(side)) _problems.Add(new(path, "names no endpoint; allowed: at least one in Connect or Bind, such as tcp://127.0.0.1:5555."));
        var subscribes = type is SocketType.Sub or SocketType.XSub or SocketType.Dish or SocketType.None;
        if (side.Subscribe.Count > 0 && !subscribes) _problems.Add(new($"{path}:Subscribe", $"does not apply to {type.Name()} sockets, it is for SUB, XSUB, DISH; leave it out."));
        if (type == SocketType.Dish) CheckGroups($"{path}:Subscribe", side.Subscribe);
        var identity = SocketOptionTable.Find(nameof(side.Identity))!;
        if (side.Identity.Length > 0 && type != SocketType.None && !identity.Takes(type)) _problems.Add(new($"{path}:Identity", $"does not apply to {type.Name()} sockets, it is for {identity.TypesText}; leave it out."));
        Demand(side.Identity.Length == 0 || side.Options.Identity.Length == 0, $"{path}:Identity", side.Identity, "here or in Options, not in both");
        Demand(!side.Identity.StartsWith('\0') && Encoding.UTF8.GetByteCount(side.Identity) <= 255, $"{path}:Identity", side.Identity, "a text of up to 255 bytes as UTF-8, not beginning with a zero byte");
        SecurityReader.Read($"{path}:Security", side.Security, _problems);
        _problems.AddRange(TlsRules.Check($"{path}:Tls", side.Tls, side.Bind, side.Connect));
        _problems.AddRange(SocketOptionsRules.Check($"{path}:Options", side.Options, type, given.IsGiven));
        // A control socket is one of its own; the others are the proxy's.
        if (!path.EndsWith(":Control", StringComparison.Ordinal) && !side.Options.Immediate && SocketOptionTable.Find(nameof(side.Options.Immediate))!.Takes(type))
            Demand(false, $"{path}:Options:{nameof(side.Options.Immediate)}", "false", "true, for a device sends to ready peers only and holds what waits itself");
    }

    /// <summary>A RADIO does not tell which groups its peers joined, and a DISH cannot join all.</summary>
    private void CheckGroups(string path, List<string> groups)
    {
        if (groups.Count == 0) _problems.Add(ConfigurationProblem.Missing(path, "the groups that the DISH joins, by their exact names"));
        for (var at = 0; at < groups.Count; at++)
        {
            Demand(Encoding.UTF8.GetByteCount(groups[at]) <= 255 && !groups[at].Contains('\0', StringComparison.Ordinal), $"{path}:{at}", groups[at], "a group of up to 255 bytes as UTF-8, none of them zero");
            Demand(groups.IndexOf(groups[at]) == at, $"{path}:{at}", groups[at], "each group once");
        }
    }

    private void CheckEndpoints(string path, List<string> endpoints, Func<string, string?> error)
    {
        for (var at = 0; at < endpoints.Count; at++)
        {
            var allowed = error(endpoints[at]);
            Demand(allowed is null, $"{path}:{at}", endpoints[at], allowed ?? "");
            Demand(endpoints.IndexOf(endpoints[at]) == at, $"{path}:{at}", endpoints[at], "each endpoint once");
        }
    }

    private void Demand(bool holds, string path, object? value, string allowed)
    {
        if (!holds) _problems.Add(ConfigurationProblem.NotAllowed(path, value, allowed));
    }
}
