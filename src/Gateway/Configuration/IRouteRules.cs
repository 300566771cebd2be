namespace Gateway.Configuration;

/// <summary>What a feature demands of its routes beyond what the options themselves declare: templates, combinations. Stateless.</summary>
internal interface IRouteRules
{
    /// <summary>Kinds of routes the rules are for.</summary>
    RouteKinds Kinds { get; }

    /// <summary>Everything that is wrong with the route. Its path is a valid template and its backend exists.</summary>
    IEnumerable<ConfigurationProblem> Check(ConfiguredRoute route);
}

/// <summary>A route as <see cref="IRouteRules"/> sees it.</summary>
/// <param name="SettingPath">Where it stands in the configuration, such as <c>Gateway:Routes:add</c>; append <c>:Request:0</c>.</param>
/// <param name="Kind">The one kind that follows from the backend's socket.</param>
/// <param name="Parameters">Names of the path's parameters.</param>
internal sealed record ConfiguredRoute(
    string SettingPath, RouteKinds Kind, WebRouteOptions Options, BackendOptions Backend, IReadOnlySet<string> Parameters);
