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
        return problems.Select(problem => problem.At($"{route.SettingPath}:Request"));
    }
}
