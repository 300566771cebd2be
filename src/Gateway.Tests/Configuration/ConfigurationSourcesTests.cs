using Gateway.Configuration;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Configuration;

public sealed class ConfigurationSourcesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public void Later_sources_win()
    {
        Assert.Equal("appsettings.json", Winner("appsettings.json"));
        Assert.Equal("appsettings.Staging.json", Winner("appsettings.Staging.json"));
        Assert.Equal("gateway.json", Winner("gateway.json"));
        Assert.Equal("gateway.yaml", Winner("gateway.yaml"));
        Assert.Equal("command line", Winner(null, "Gateway:Winner=command line"));
    }

    [Fact]
    public void A_named_file_stands_in_place_of_the_usual_ones()
    {
        Write("gateway.json");
        Write("first.json");
        Write("second.yaml");
        using var sources = new ConfigurationSources(_directory.Path, ["first.json", "second.yaml"], []);
        Assert.Equal("second.yaml", sources.Load()["Gateway:Winner"]);
        Assert.DoesNotContain(sources.Present, file => file.EndsWith("gateway.json", StringComparison.Ordinal));
    }

    [Fact]
    public void A_broken_file_of_the_framework_is_named_too()
    {
        File.WriteAllText(_directory.File("appsettings.json"), "{");
        using var sources = new ConfigurationSources(_directory.Path, [], []);
        var exception = Assert.Throws<ConfigurationException>(() => GatewayApplication.Build(sources));
        Assert.StartsWith($"The file {_directory.File("appsettings.json")} cannot be read: ", exception.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();

    /// <summary>Which source is read last of those written so far.</summary>
    private string? Winner(string? file, params string[] settings)
    {
        if (file is not null) Write(file);
        using var sources = new ConfigurationSources(_directory.Path, [], ["environment=Staging", .. settings]);
        return sources.Load()["Gateway:Winner"];
    }

    private void Write(string name) => File.WriteAllText(
        _directory.File(name), name.EndsWith(".yaml", StringComparison.Ordinal) ? $"Gateway: {{ Winner: {name} }}" : $$$"""{"Gateway":{"Winner":"{{{name}}}"}}""");
}
