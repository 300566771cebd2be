using Gateway.Demo;

namespace Gateway.Configuration;

/// <summary>Makes a snapshot of a configuration, or says everything that is wrong with it.</summary>
internal sealed class ConfigurationReader(IEnumerable<IRouteRules> rules)
{
    private readonly IRouteRules[] _rules = [.. rules];

    /// <summary>Reads the section; a configuration without one is the demo.</summary>
    /// <exception cref="ConfigurationException">With every problem found.</exception>
    public GatewaySnapshot Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(GatewayOptions.SectionName);
        var isDemo = !section.Exists();
        if (isDemo) section = DemoConfiguration.Load().GetSection(GatewayOptions.SectionName);
        var reader = new OptionsReader();
        var options = reader.Read<GatewayOptions>(section);
        var problems = reader.Problems.Concat(new GatewayOptionsValidator(options, reader, _rules).Check());
        // A value that did not convert keeps its default, and the rules may find fault with that again.
        ConfigurationProblem[] distinct = [.. problems.DistinctBy(problem => problem.Path, StringComparer.OrdinalIgnoreCase)];
        if (distinct.Length > 0) throw new ConfigurationException([.. distinct.Select(problem => problem.ToString())]);
        return new GatewaySnapshot(options, isDemo);
    }
}
