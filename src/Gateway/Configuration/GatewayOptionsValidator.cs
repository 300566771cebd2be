using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing.Patterns;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Configuration;

/// <summary>The rules that hold between settings. What a single value may be, <see cref="SettingDescription"/> says.</summary>
internal sealed partial class GatewayOptionsValidator(GatewayOptions options, OptionsReader given, IReadOnlyList<IRouteRules> rules)
{
    /// <summary>What a route's path may be.</summary>
    public const string PathRule = "a path such as /api/price/{symbol}";

    /// <summary>What a content type may be.</summary>
    public const string MediaTypeRule = "a media type such as application/json";

    /// <summary>What methods may be.</summary>
    public const string MethodsRule = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS for calls; POST, PUT for publish and push";

    /// <summary>What a delimiter may be.</summary>
    public const string DelimiterRule = "a text of 1 to 16 bytes as UTF-8";

    private const string Root = GatewayOptions.SectionName;
    private static readonly string[] CallMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    private static readonly string[] SendMethods = ["POST", "PUT"];
    private static readonly string[] ReservedPaths = ["health", "swagger", "openapi", "gateway"];
    private readonly List<ConfigurationProblem> _problems = [];

    /// <summary>Everything that is wrong, in the order of the configuration.</summary>
    public IReadOnlyList<ConfigurationProblem> Check()
    {
        foreach (var (name, backend) in options.Backends) CheckBackend($"{Root}:Backends:{name}", backend);
        foreach (var (name, device) in options.Devices) _problems.AddRange(new DeviceRules(given).Check($"{Root}:Devices:{name}", device));
        CheckBoundTwice();
        foreach (var (name, route) in options.Routes) CheckRoute($"{Root}:Routes:{name}", route);
        CheckSamePaths();
        return _problems;
    }

    private void CheckBackend(string path, BackendOptions backend)
    {
        var type = SocketTypes.Parse(Encoding.ASCII.GetBytes(backend.Socket.ToUpperInvariant()));
        CheckEndpoints($"{path}:Connect", backend.Connect, endpoint => EndpointSyntax.ConnectError(endpoint, type));
        CheckEndpoints($"{path}:Bind", backend.Bind, endpoint => EndpointSyntax.BindError(endpoint, type));
        if (backend.Connect.Count + backend.Bind.Count == 0)
        {
            _problems.Add(new(path, "names no endpoint; allowed: at least one in Connect or Bind, such as tcp://127.0.0.1:5555."));
        }

        _problems.AddRange(SocketOptionsRules.Check($"{path}:Options", backend.Options, type, given.IsGiven));
        SecurityReader.Read($"{path}:Security", backend.Security, _problems);
        _problems.AddRange(TlsRules.Check($"{path}:Tls", backend.Tls, backend.Bind, backend.Connect));
        Demand(
            !backend.Upstream.Contains("Demand") || backend.Upstream.Count == 1,
            $"{path}:Upstream", string.Join(", ", backend.Upstream), "Demand alone, or prefixes");
        if (SocketRoles.HasGroups(backend.Socket)) CheckGroups($"{path}:Upstream", backend.Upstream);
        if (SocketRoles.KindOf(backend.Socket) is not { } kind) return;
        CheckApplies(path, typeof(BackendOptions), kind, $"Socket is {backend.Socket}");
        _problems.AddRange(SocketOptionsRules.CheckBackend($"{path}:Options", kind, given.IsGiven));
    }

    private void CheckGroups(string path, List<string> groups)
    {
        for (var at = 0; at < groups.Count; at++)
        {
            var isGroup = Encoding.UTF8.GetByteCount(groups[at]) is > 0 and <= RadioSocket.MaxGroupLength && !groups[at].Contains('\0', StringComparison.Ordinal);
            Demand(isGroup, $"{path}:{at}", groups[at], $"the exact name of a group, 1 to {RadioSocket.MaxGroupLength} bytes: a DISH joins groups and knows no prefixes");
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

    private void CheckBoundTwice()
    {
        var bound =
            from owner in Binders()
            from at in Enumerable.Range(0, owner.Bind.Count)
            let endpoint = owner.Bind[at]
            // A wildcard port is another one each time.
            where !endpoint.EndsWith(":0", StringComparison.Ordinal) && !endpoint.EndsWith(":*", StringComparison.Ordinal)
            group $"{owner.Path}:Bind:{at}" by endpoint;
        foreach (var same in bound)
        {
            var first = same.First();
            foreach (var path in same.Skip(1)) Demand(false, path, same.Key, $"an endpoint that {first} does not bind already");
        }
    }

    private IEnumerable<(string Path, List<string> Bind)> Binders()
    {
        foreach (var (name, backend) in options.Backends) yield return ($"{Root}:Backends:{name}", backend.Bind);
        foreach (var (name, device) in options.Devices)
        {
            var path = $"{Root}:Devices:{name}";
            yield return ($"{path}:Frontend", device.Frontend.Bind);
            yield return ($"{path}:Backend", device.Backend.Bind);
            yield return ($"{path}:Monitor", device.Monitor.Bind);
            yield return ($"{path}:Control", device.Control.Bind);
        }
    }

    private void CheckRoute(string path, WebRouteOptions route)
    {
        var pattern = CheckPath($"{path}:Path", route.Path);
        CheckTopic($"{path}:Topic", route.Topic);
        CheckZws($"{path}:Zws:Security", route.Zws.Security);
        Demand(
            route.ContentType is null || MediaTypeHeaderValue.TryParse(route.ContentType, out _),
            $"{path}:ContentType", route.ContentType, MediaTypeRule);
        var backend = options.Backends.GetValueOrDefault(route.Backend);
        // A missing name has been reported already.
        Demand(backend is not null || route.Backend.Length == 0, $"{path}:Backend", route.Backend, Backends());
        if (backend is null || SocketRoles.KindOf(backend.Socket) is not { } kind) return;
        CheckApplies(path, typeof(WebRouteOptions), kind, $"backend {route.Backend} is a {backend.Socket} socket");
        CheckMethods($"{path}:Methods", route.Methods, kind);
        if (pattern is null) return;
        var parameters = pattern.Parameters.Select(parameter => parameter.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var configured = new ConfiguredRoute(path, kind, route, backend, parameters);
        _problems.AddRange(rules.Where(rule => rule.Kinds.HasFlag(kind)).SelectMany(rule => rule.Check(configured)));
    }

    private void CheckZws(string path, SecurityOptions security)
    {
        SecurityReader.Read(path, security, _problems);
        var isServer = security.Role.Equals("Server", StringComparison.OrdinalIgnoreCase) || security.Mechanism.Equals("NULL", StringComparison.OrdinalIgnoreCase);
        Demand(isServer, $"{path}:Role", security.Role, "Server: peers come to the gateway");
    }

    private string Backends() => options.Backends.Count == 0
        ? "the name of a backend, and none is configured"
        : $"one of {string.Join(", ", options.Backends.Keys)}";

    private RoutePattern? CheckPath(string path, string template)
    {
        if (template.Length == 0) return null;
        Demand(template[0] == '/', path, template, PathRule);
        try
        {
            var pattern = RoutePatternFactory.Parse(template);
            var first = pattern.PathSegments.Count > 0 && pattern.PathSegments[0] is { IsSimple: true } segment ? segment.Parts[0] : null;
            var isReserved = first is RoutePatternLiteralPart literal && ReservedPaths.Contains(literal.Content, StringComparer.OrdinalIgnoreCase);
            Demand(!isReserved, path, template, $"a path that does not begin with /{string.Join(", /", ReservedPaths)}, which the gateway serves itself");
            if (RouteConstraints.Error(pattern) is { } allowed) Demand(false, path, template, allowed);
            return pattern;
        }
        catch (RoutePatternException e)
        {
            Demand(false, path, template, $"{PathRule} ({e.Message.TrimEnd('.')})");
            return null;
        }
    }

    private void CheckTopic(string path, TopicOptions topic)
    {
        string[] set = [.. new[] { (topic.Frame is not null, "Frame"), (topic.None is not null, "None"), (topic.Delimiter is not null, "Delimiter") }.Where(rule => rule.Item1).Select(rule => rule.Item2)];
        if (set.Length > 1) _problems.Add(new(path, $"has {string.Join(" and ", set)}; allowed: one of Frame, None, Delimiter."));
        Demand(topic.None is not false, $"{path}:None", "false", "true, or leave it out");
        var bytes = topic.Delimiter is null ? 1 : Encoding.UTF8.GetByteCount(topic.Delimiter);
        Demand(bytes is >= 1 and <= 16, $"{path}:Delimiter", topic.Delimiter, DelimiterRule);
    }

    private void CheckMethods(string path, List<string> methods, RouteKinds kind)
    {
        // That a stream takes none has been said by CheckApplies.
        if (kind == RouteKinds.Stream) return;
        var allowed = kind == RouteKinds.Call ? CallMethods : SendMethods;
        for (var at = 0; at < methods.Count; at++)
        {
            var method = methods[at];
            Demand(
                allowed.Contains(method, StringComparer.OrdinalIgnoreCase),
                $"{path}:{at}", method, $"one of {string.Join(", ", allowed)} for a {kind.Word()} route");
            Demand(
                methods.FindIndex(other => other.Equals(method, StringComparison.OrdinalIgnoreCase)) == at,
                $"{path}:{at}", method, "each method once");
        }
    }

    private void CheckApplies(string path, Type type, RouteKinds kind, string because)
    {
        foreach (var setting in SettingDescription.Of(type))
        {
            if (setting.AppliesTo is not { } kinds || kinds.HasFlag(kind) || !given.IsGiven($"{path}:{setting.Name}")) continue;
            _problems.Add(new($"{path}:{setting.Name}", $"does not apply to {kind.Word()} routes ({because}); leave it out."));
        }
    }

    private void CheckSamePaths()
    {
        var answers = new Dictionary<(string Path, string Method), string>();
        foreach (var (name, route) in options.Routes)
        {
            if (route.Path.Length == 0 || options.Backends.GetValueOrDefault(route.Backend) is not { } backend) continue;
            if (SocketRoles.KindOf(backend.Socket) is not { } kind) continue;
            foreach (var method in RouteMethods.Of(route, kind))
            {
                var first = answers.GetValueOrDefault((Normal(route.Path), method));
                if (first is null) answers[(Normal(route.Path), method)] = name;
                else Demand(false, $"{Root}:Routes:{name}:Path", route.Path, $"a path and method that route {first} does not answer already ({method})");
            }
        }
    }

    /// <summary>Templates that differ only in case, in the names of parameters or in whether they may be left out match the same paths.</summary>
    private static string Normal(string template) => ParameterPattern().Replace(template.Trim('/'), "{${stars}${constraint}}").ToUpperInvariant();

    private void Demand(bool holds, string path, object? value, string allowed)
    {
        if (!holds) _problems.Add(ConfigurationProblem.NotAllowed(path, value, allowed));
    }

    [GeneratedRegex(@"\{(?<stars>\*{0,2})[^:?=}]+(?<constraint>(:[^=?}]+)?)[^}]*\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ParameterPattern();
}
