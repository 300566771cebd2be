using System.Collections;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.Configuration;

/// <summary>
/// Fills options from a configuration section and notes everything that is wrong with it: keys that name nothing, values that do not
/// convert or lie outside their bounds, values that are missing. The framework's binder stops at the first of these and takes unknown keys.
/// </summary>
internal sealed partial class OptionsReader
{
    /// <summary>Pattern of the names of backends and routes.</summary>
    public const string NamePatternText = @"^[A-Za-z0-9\-_.]{1,64}$";

    private const string NameRule = "a name of 1 to 64 letters, digits, '-', '_' and '.'";
    private readonly HashSet<string> _given = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>What was found wrong, in the order of reading.</summary>
    public List<ConfigurationProblem> Problems { get; } = [];

    /// <summary>Whether the configuration says anything at this path.</summary>
    public bool IsGiven(string path) => _given.Contains(path);

    /// <summary>Reads a section into new options. What is wrong keeps its default.</summary>
    public T Read<T>(IConfigurationSection section)
        where T : class, new()
    {
        var options = new T();
        Fill(options, section);
        return options;
    }

    private void Fill(object options, IConfigurationSection section)
    {
        var settings = SettingDescription.Of(options.GetType());
        if (!string.IsNullOrEmpty(section.Value))
        {
            Problems.Add(ConfigurationProblem.NotAllowed(section.Path, section.Value, $"a group of the settings {Names(settings)}"));
        }

        foreach (var child in section.GetChildren())
        {
            var setting = settings.FirstOrDefault(setting => setting.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase));
            if (setting is null)
            {
                var inCodeOnly = options is SocketOptions ? SocketOptionsRules.WhyInCodeOnly(child.Key) : null;
                Problems.Add(inCodeOnly is null
                    ? ConfigurationProblem.Unknown(child.Path, settings.Select(known => known.Name))
                    : new(child.Path, $"is for code only: {inCodeOnly}; leave it out."));
                continue;
            }

            _given.Add(child.Path);
            Fill(options, setting, child);
        }

        foreach (var setting in settings.Where(setting => setting.IsRequired && !_given.Contains($"{section.Path}:{setting.Name}")))
        {
            Problems.Add(ConfigurationProblem.Missing($"{section.Path}:{setting.Name}", setting.Allowed));
        }
    }

    private void Fill(object options, SettingDescription setting, IConfigurationSection section)
    {
        switch (setting.Form)
        {
            case SettingForm.Section:
                Fill(setting.Property.GetValue(options)!, section);
                break;
            case SettingForm.NamedSections:
                FillNamed((IDictionary)setting.Property.GetValue(options)!, setting, section);
                break;
            case SettingForm.List:
                FillList((List<string>)setting.Property.GetValue(options)!, section);
                break;
            default:
                FillValue(options, setting, section);
                break;
        }
    }

    private void FillNamed(IDictionary sections, SettingDescription setting, IConfigurationSection section)
    {
        if (!string.IsNullOrEmpty(section.Value)) Problems.Add(ConfigurationProblem.NotAllowed(section.Path, section.Value, "groups of settings by name"));
        foreach (var child in section.GetChildren())
        {
            if (!NamePattern().IsMatch(child.Key)) Problems.Add(new(child.Path, $"has the name \"{child.Key}\"; allowed: {NameRule}."));
            var options = Activator.CreateInstance(setting.SectionType!)!;
            Fill(options, child);
            sections[child.Key] = options;
        }
    }

    /// <summary>A single value is a list of one, so that a command line can say <c>--Gateway:Backends:x:Connect=tcp://…</c>.</summary>
    private void FillList(List<string> list, IConfigurationSection section)
    {
        var children = section.GetChildren().ToArray();
        if (!string.IsNullOrEmpty(section.Value))
        {
            if (children.Length > 0) Problems.Add(ConfigurationProblem.NotAllowed(section.Path, section.Value, "one value or a list, here are both"));
            list.Add(section.Value);
            return;
        }

        // An empty list says nothing.
        if (children.Length == 0) _given.Remove(section.Path);
        foreach (var child in children)
        {
            var isEntry = int.TryParse(child.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _) && !child.GetChildren().Any();
            if (isEntry) list.Add(child.Value ?? "");
            else Problems.Add(new(child.Path, "is not an entry of a list; allowed: texts, or the keys 0, 1, 2 and so on."));
        }
    }

    private void FillValue(object options, SettingDescription setting, IConfigurationSection section)
    {
        if (section.Value is null && !section.GetChildren().Any())
        {
            // JSON's null: as if the key were not there.
            _given.Remove(section.Path);
            return;
        }

        var value = section.Value is null || section.GetChildren().Any() ? null : setting.Convert(section.Value);
        var isEmpty = setting.IsRequired && value is "";
        if (value is null || isEmpty) Problems.Add(ConfigurationProblem.NotAllowed(section.Path, section.Value ?? "a group of settings", isEmpty ? "a text that is not empty" : setting.Allowed));
        else setting.Property.SetValue(options, value);
    }

    private static string Names(IEnumerable<SettingDescription> settings) => string.Join(", ", settings.Select(setting => setting.Name));

    [GeneratedRegex(NamePatternText, RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NamePattern();
}
