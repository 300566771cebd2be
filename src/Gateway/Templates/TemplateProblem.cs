using Gateway.Configuration;

namespace Gateway.Templates;

/// <summary>What is wrong with one line of a template, for the list of configuration errors.</summary>
/// <param name="Index">Which line, counted from 0.</param>
/// <param name="Value">The line as it stands.</param>
/// <param name="Allowed">What may stand there.</param>
internal sealed record TemplateProblem(int Index, string Value, string Allowed)
{
    /// <summary>What is allowed where a brace has no partner.</summary>
    public const string Braces = "text with {placeholders}; {{ and }} stand for braces";

    /// <summary>The problem in the list of configuration errors.</summary>
    /// <param name="settingPath">Path of the template, such as <c>Gateway:Routes:price:Request</c>.</param>
    public ConfigurationProblem At(string settingPath) => ConfigurationProblem.NotAllowed($"{settingPath}:{Index}", Value, Allowed);
}
