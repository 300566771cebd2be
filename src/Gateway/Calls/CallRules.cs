using Gateway.Configuration;

namespace Gateway.Calls;

/// <summary>What a call route's <c>Reply</c> may be.</summary>
internal sealed class CallRules : IRouteRules
{
    /// <inheritdoc/>
    public RouteKinds Kinds => RouteKinds.Call;

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Check(ConfiguredRoute route)
    {
        ReplyTemplate.Parse(route.Options.Reply, out var problems);
        return problems.Select(problem => problem.At($"{route.SettingPath}:Reply"));
    }
}
