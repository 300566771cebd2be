using System.Globalization;
using System.Text;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Configuration;

public class ConfigurationDocumentTests
{
    private const string Marker = "<!-- From here on";

    [Fact]
    public void The_documentation_lists_every_setting_as_it_is_declared()
    {
        var written = File.ReadAllText(SourceTree.PathOf("docs/configuration.md"));
        var byHand = written[..(written.IndexOf('\n', written.IndexOf(Marker, StringComparison.Ordinal)) + 1)];
        var text = new StringBuilder(byHand);
        Append(text, typeof(GatewayOptions), "Gateway");
        CheckedIn.AssertCurrent("docs/configuration.md", text.ToString());
    }

    [Theory]
    [InlineData("configuration", "json")]
    [InlineData("configuration", "yaml")]
    [InlineData("security", "json")]
    public void The_configurations_shown_are_valid(string document, string language)
    {
        var shown = File.ReadAllText(SourceTree.PathOf($"docs/{document}.md")).Split($"```{language}\n")[1].Split("```")[0];
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File($"gateway.{language}"), shown);
        using var rules = GatewayApplication.RuleServices();
        Assert.NotEmpty(new ConfigurationReader(rules.GetServices<IRouteRules>()).Read(ConfigurationSources.LoadFile(directory.File($"gateway.{language}"))).Routes);
    }

    [Fact]
    public void Every_number_and_every_time_has_bounds()
    {
        Type[] types = [typeof(BackendOptions), typeof(SocketOptions), typeof(RetryOptions), typeof(CircuitOptions), typeof(WebRouteOptions), typeof(TopicOptions), typeof(SubscriberOptions), typeof(LimitOptions), typeof(DeviceOptions), typeof(DeviceSideOptions), typeof(DeviceMonitorOptions)];
        Assert.Empty(types.SelectMany(SettingDescription.Of)
            .Where(setting => setting.Form is SettingForm.Number or SettingForm.Duration && setting.Range is null).Select(setting => setting.Name));
    }

    [Fact]
    public void Every_default_lies_within_its_bounds()
    {
        Type[] types = [typeof(BackendOptions), typeof(SocketOptions), typeof(RetryOptions), typeof(CircuitOptions), typeof(WebRouteOptions), typeof(TopicOptions), typeof(SubscriberOptions), typeof(LimitOptions), typeof(DeviceOptions), typeof(DeviceSideOptions), typeof(DeviceMonitorOptions)];
        Assert.All(types.SelectMany(SettingDescription.Of).Where(setting => setting.DefaultText is not null), setting => Assert.Equal(setting.Default, setting.Convert(setting.DefaultText!)));
    }

    private static void Append(StringBuilder text, Type type, string path)
    {
        var settings = SettingDescription.Of(type);
        text.Append(CultureInfo.InvariantCulture, $"\n### {path}\n\n{OptionsDocumentation.Of(type)}\n\n| setting | default | allowed | meaning |\n|---|---|---|---|\n");
        foreach (var setting in settings)
        {
            var kinds = setting.AppliesTo is { } applies ? $" For {string.Join(", ", Enum.GetValues<RouteKinds>().Where(kind => applies.HasFlag(kind)).Select(kind => kind.Word()))} routes only." : "";
            var fallback = setting.DefaultText is { } value ? $"`{value}`" : setting.IsRequired ? "required" : "";
            text.Append(CultureInfo.InvariantCulture, $"| `{setting.Name}` | {fallback} | {Cell(setting.Allowed)} | {Cell(OptionsDocumentation.Of(setting.Property))}{kinds} |\n");
        }

        foreach (var setting in settings.Where(setting => setting.SectionType is not null))
        {
            Append(text, setting.SectionType!, setting.Form == SettingForm.NamedSections ? $"{path}:{setting.Name}:*name*" : $"{path}:{setting.Name}");
        }
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
