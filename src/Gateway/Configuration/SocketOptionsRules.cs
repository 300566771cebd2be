using System.Text;
using Zmtp;
using Zmtp.Wire;

namespace Gateway.Configuration;

/// <summary>What holds between the options of a socket and its type. What a single value may be, <see cref="SettingDescription"/> says.</summary>
internal static class SocketOptionsRules
{
    /// <summary>Everything that is wrong with a socket's options.</summary>
    /// <param name="path">Path of the section, such as <c>Gateway:Backends:calculator:Options</c>.</param>
    /// <param name="options">The options.</param>
    /// <param name="type">The socket's type; None when it is not known, which has been said elsewhere.</param>
    /// <param name="isGiven">Whether the configuration says anything at a path.</param>
    public static IEnumerable<ConfigurationProblem> Check(string path, SocketOptions options, SocketType type, Func<string, bool> isGiven)
    {
        foreach (var option in SocketOptionTable.All)
        {
            if (type == SocketType.None || option.Takes(type) || !isGiven($"{path}:{option.Name}")) continue;
            yield return new($"{path}:{option.Name}", $"does not apply to {type.Name()} sockets, it is for {option.TypesText}; leave it out.");
        }

        if (options.ReconnectMax < options.ReconnectMin)
            yield return ConfigurationProblem.NotAllowed($"{path}:ReconnectMax", options.ReconnectMax, $"at least ReconnectMin, which is {SettingDescription.TextOf(options.ReconnectMin)}");
        if (options.HeartbeatInterval > TimeSpan.Zero && options.HeartbeatTimeout <= options.HeartbeatInterval)
            yield return ConfigurationProblem.NotAllowed($"{path}:HeartbeatTimeout", options.HeartbeatTimeout, $"more than HeartbeatInterval, which is {SettingDescription.TextOf(options.HeartbeatInterval)}");
        if (options.Identity.StartsWith('\0') || Encoding.UTF8.GetByteCount(options.Identity) > byte.MaxValue)
            yield return ConfigurationProblem.NotAllowed($"{path}:Identity", options.Identity, AllowedIn(nameof(options.Identity)));
        if (options.SocksProxy.Length > 0 && !ZmtpOptions.IsSocksProxy(options.SocksProxy))
            yield return ConfigurationProblem.NotAllowed($"{path}:SocksProxy", options.SocksProxy, AllowedIn(nameof(options.SocksProxy)));
        foreach (var name in (string[])[nameof(options.SocksUserName), nameof(options.SocksPassword)])
        {
            var value = name == nameof(options.SocksUserName) ? options.SocksUserName : options.SocksPassword;
            // The value of a password is not shown.
            if (Encoding.UTF8.GetByteCount(value) > byte.MaxValue) yield return new($"{path}:{name}", $"has {Encoding.UTF8.GetByteCount(value)} bytes; allowed: up to 255.");
        }

        foreach (var problem in CheckWords<ReconnectStop>(path, nameof(options.ReconnectStop), options.ReconnectStop)) yield return problem;
        foreach (var problem in CheckWords<RouterNotify>(path, nameof(options.RouterNotify), options.RouterNotify)) yield return problem;
        foreach (var problem in CheckMetadata($"{path}:Metadata", options.Metadata)) yield return problem;
    }

    /// <summary>Options that the gateway decides itself for the backends of a kind of routes, because it has no socket of the engine there or a setting of its own.</summary>
    /// <param name="kind">The kind.</param>
    public static IEnumerable<ConfigurationProblem> CheckBackend(string path, RouteKinds kind, Func<string, bool> isGiven)
    {
        foreach (var name in DecidedFor(kind))
        {
            if (isGiven($"{path}:{name}")) yield return new($"{path}:{name}", $"is decided by the gateway for {kind.Word()} routes; leave it out.");
        }
    }

    /// <summary>Names of the options that the gateway decides for a kind of routes.</summary>
    internal static string[] DecidedFor(RouteKinds kind) => kind switch
    {
        RouteKinds.Call =>
        [
            nameof(SocketOptions.Conflate), nameof(SocketOptions.Immediate), nameof(SocketOptions.ReqCorrelate), nameof(SocketOptions.ReqRelaxed),
            nameof(SocketOptions.ProbeRouter), nameof(SocketOptions.HelloMessage), nameof(SocketOptions.HiccupMessage),
        ],
        RouteKinds.Publish => [nameof(SocketOptions.XPubVerbose), nameof(SocketOptions.XPubVerboser)],
        RouteKinds.Stream => [nameof(SocketOptions.Conflate), nameof(SocketOptions.InvertMatching)],
        _ => [],
    };

    /// <summary>Why an option of sockets cannot be configured; null for one that can, or is none.</summary>
    internal static string? WhyInCodeOnly(string name) => name.ToUpperInvariant() switch
    {
        "SENDTIMEOUT" or "RECEIVETIMEOUT" => "it bounds the calls of a program that uses the library; the gateway's own waits have settings of their own, such as Timeout of a backend",
        "XPUBMANUAL" or "XPUBMANUALLASTVALUE" => "with it a program answers each subscription itself",
        "CONNECTROUTINGID" => "it is an argument of RouterSocket.Connect and holds for one endpoint",
        _ => null,
    };

    private static IEnumerable<ConfigurationProblem> CheckWords<TEnum>(string path, string name, List<string> words)
        where TEnum : struct, Enum
    {
        for (var at = 0; at < words.Count; at++)
        {
            // A number would parse as well; nobody means that.
            if (!Enum.GetNames<TEnum>().Contains(words[at], StringComparer.OrdinalIgnoreCase) || words[at].Equals("None", StringComparison.OrdinalIgnoreCase))
                yield return ConfigurationProblem.NotAllowed($"{path}:{name}:{at}", words[at], $"one of {AllowedIn(name)}");
        }
    }

    private static IEnumerable<ConfigurationProblem> CheckMetadata(string path, List<string> entries)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        for (var at = 0; at < entries.Count; at++)
        {
            var colon = entries[at].IndexOf(':', StringComparison.Ordinal);
            if (colon < 0 || !ZmtpOptions.IsMetadataName(entries[at][..colon]))
                yield return ConfigurationProblem.NotAllowed($"{path}:{at}", entries[at], AllowedIn(nameof(SocketOptions.Metadata)));
            else if (!names.Add(entries[at][..colon]))
                yield return ConfigurationProblem.NotAllowed($"{path}:{at}", entries[at], "each name once");
        }

        var size = entries.Sum(entry => Encoding.UTF8.GetByteCount(entry) + 4);
        if (size > ZmtpOptions.MaxMetadataBytes) yield return new(path, $"has {size} bytes, four for each property included; allowed: up to {ZmtpOptions.MaxMetadataBytes}.");
    }

    private static string AllowedIn(string name) => SettingDescription.Of(typeof(SocketOptions)).First(setting => setting.Name == name).Allowed;
}
