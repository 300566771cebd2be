using Gateway.Configuration;

namespace Gateway.Templates;

/// <summary>What <c>Request</c> may be, wherever a route sends something.</summary>
internal sealed class RequestRules : IRouteRules
{
    /// <inheritdoc/>
    public RouteKinds Kinds => RouteKinds.Call | RouteKinds.Publish | RouteKinds.Push;

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Check(ConfiguredRoute route)
    {
        RequestTemplate.Parse(route.Options.Request, route.Parameters, out var problems);
        return problems.Select(problem => problem.At($"{route.SettingPath}:Request")).Concat(CheckFrames(route));
    }

    private static IEnumerable<ConfigurationProblem> CheckFrames(ConfiguredRoute route)
    {
        var (socket, request) = (route.Backend.Socket.ToUpperInvariant(), route.Options.Request);
        if (!SocketRoles.IsSinglePart(socket) || request.Count == 0) yield break;
        var frames = socket == "RADIO" ? 2 : 1;
        if (request.Count == frames) yield break;
        var allowed = socket == "RADIO" ? "two frames, the group and the body" : "one frame";
        yield return new($"{route.SettingPath}:Request", $"has {request.Count} frames; allowed: {allowed}, for a {socket} socket sends no others.");
    }
}
