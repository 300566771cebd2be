using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Configuration;

/// <summary>The JSON Schema (draft 2020-12) of a file with the section, made from the options' declarations.</summary>
internal static class ConfigurationSchema
{
    private const string DurationPattern = @"^((\d+\.)?\d{1,2}:\d{2}(:\d{2}(\.\d{1,7})?)?|0)$";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The schema's text; ends with a line feed.</summary>
    public static string Text() => new JsonObject
    {
        ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
        ["title"] = "Gateway configuration",
        ["description"] = "gateway.json or gateway.yaml. Other sections (Logging, Kestrel) are ASP.NET's.",
        ["type"] = "object",
        ["properties"] = new JsonObject { [GatewayOptions.SectionName] = Section(typeof(GatewayOptions)) },
    }.ToJsonString(Indented) + "\n";

    private static JsonObject Section(Type type)
    {
        var properties = new JsonObject();
        foreach (var setting in SettingDescription.Of(type)) properties[setting.Name] = Setting(setting);
        var section = new JsonObject
        {
            ["type"] = "object",
            ["description"] = OptionsDocumentation.Of(type),
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
        var required = SettingDescription.Of(type).Where(setting => setting.IsRequired).Select(setting => (JsonNode?)setting.Name).ToArray();
        if (required.Length > 0) section["required"] = new JsonArray(required);
        return section;
    }

    private static JsonObject Setting(SettingDescription setting)
    {
        var schema = setting.Form switch
        {
            SettingForm.Section => Section(setting.SectionType!),
            SettingForm.NamedSections => new JsonObject
            {
                ["type"] = "object",
                ["propertyNames"] = new JsonObject { ["pattern"] = OptionsReader.NamePatternText },
                ["additionalProperties"] = Section(setting.SectionType!),
            },
            SettingForm.List => new JsonObject { ["type"] = new JsonArray("array", "string"), ["items"] = new JsonObject { ["type"] = "string" } },
            SettingForm.Boolean => new JsonObject { ["type"] = "boolean" },
            SettingForm.Number => Bounded(new JsonObject { ["type"] = "integer" }, setting),
            SettingForm.Duration => new JsonObject { ["type"] = "string", ["pattern"] = DurationPattern },
            _ => new JsonObject { ["type"] = "string" },
        };
        if (setting.Choices.Count > 0) schema["enum"] = new JsonArray([.. setting.Choices.Select(choice => (JsonNode?)choice)]);
        schema["description"] = OptionsDocumentation.Of(setting.Property);
        if (setting.DefaultText is { } text) schema["default"] = setting.Form is SettingForm.Number or SettingForm.Boolean ? JsonNode.Parse(text) : text;
        return schema;
    }

    private static JsonObject Bounded(JsonObject schema, SettingDescription setting)
    {
        if (setting.Range is null) return schema;
        schema["minimum"] = long.Parse(setting.Range.Minimum.ToString()!);
        schema["maximum"] = long.Parse(setting.Range.Maximum.ToString()!);
        return schema;
    }
}
