using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Options;
using RouteOptions = Microsoft.AspNetCore.Routing.RouteOptions;

namespace Gateway.Configuration;

/// <summary>
/// The constraints of a path's parameters, such as <c>{id:int}</c>. Routing itself resolves them at the first request, and then every
/// request fails.
/// </summary>
internal static class RouteConstraints
{
    // What routing will use, so that nothing is valid here and unknown there.
    private static readonly ServiceProvider Services = new ServiceCollection().AddLogging().AddRouting().BuildServiceProvider();

    /// <summary>What may stand behind the colon of a parameter.</summary>
    private static readonly string Names = string.Join(", ", Services.GetRequiredService<IOptions<RouteOptions>>().Value.ConstraintMap.Keys
        // For the page's files; a path of ours has no use for them.
        .Where(name => name is not ("file" or "nonfile")).Order(StringComparer.Ordinal));

    /// <summary>What is wrong with the constraints of a template, in words that follow <c>allowed:</c>; null for nothing.</summary>
    public static string? Error(RoutePattern pattern)
    {
        var factory = Services.GetRequiredService<ParameterPolicyFactory>();
        foreach (var parameter in pattern.Parameters)
        {
            foreach (var reference in parameter.ParameterPolicies)
            {
                if (Error(factory, parameter, reference) is { } reason)
                    return $"constraints of parameters from {Names} (\"{parameter.Name}:{reference.Content}\": {reason})";
            }
        }

        return null;
    }

    private static string? Error(ParameterPolicyFactory factory, RoutePatternParameterPart parameter,
        RoutePatternParameterPolicyReference reference)
    {
        try
        {
            // Used once: an expression is compiled at its first use.
            var values = new RouteValueDictionary { [parameter.Name] = "a" };
            (factory.Create(parameter, reference) as IRouteConstraint)?.Match(httpContext: null, route: null, parameter.Name, values,
                RouteDirection.IncomingRequest);
            return null;
        }
#pragma warning disable CA1031 // A constraint's constructor throws what it likes; routing would throw it at every request.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return IsKnown(reference.Content) ? e.GetBaseException().Message.ReplaceLineEndings(" ").TrimEnd('.')
                : "there is no such constraint";
        }
    }

    private static bool IsKnown(string? content) =>
        content is not null && Services.GetRequiredService<IOptions<RouteOptions>>().Value.ConstraintMap.ContainsKey(content.Split('(')[0]);
}
