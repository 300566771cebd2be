using System.Text.Json;
using Gateway.Configuration;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Configuration;

public class ConfigurationSchemaTests
{
    [Fact]
    public void The_checked_in_schema_is_current() => CheckedIn.AssertCurrent("openapi/gateway.schema.json", ConfigurationSchema.Text());

    [Fact]
    public void Every_option_is_described()
    {
        using var schema = JsonDocument.Parse(ConfigurationSchema.Text());
        AssertDescribed(schema.RootElement, "");
    }

    [Fact]
    public void The_schema_has_bounds_choices_and_defaults()
    {
        using var schema = JsonDocument.Parse(ConfigurationSchema.Text());
        var backend = schema.RootElement.GetProperty("properties").GetProperty("Gateway").GetProperty("properties").GetProperty("Backends")
            .GetProperty("additionalProperties").GetProperty("properties");
        Assert.Equal(256, backend.GetProperty("MaxConnections").GetProperty("maximum").GetInt32());
        Assert.Equal(8, backend.GetProperty("MaxConnections").GetProperty("default").GetInt32());
        Assert.Equal("00:00:05", backend.GetProperty("Timeout").GetProperty("default").GetString());
        Assert.Contains("XSUB", backend.GetProperty("Socket").GetProperty("enum").EnumerateArray().Select(value => value.GetString()));
    }

    private static void AssertDescribed(JsonElement schema, string path)
    {
        Assert.True(schema.TryGetProperty("description", out var description) && description.GetString()!.Length > 10, $"{path} has no description.");
        if (schema.TryGetProperty("properties", out var properties))
        {
            foreach (var property in properties.EnumerateObject()) AssertDescribed(property.Value, $"{path}:{property.Name}");
        }

        if (schema.TryGetProperty("additionalProperties", out var named) && named.ValueKind == JsonValueKind.Object) AssertDescribed(named, $"{path}:*");
    }
}
