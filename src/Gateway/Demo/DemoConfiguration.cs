namespace Gateway.Demo;

/// <summary>The configuration that runs when there is none: the services of the demo, in this process, over inproc.</summary>
internal static class DemoConfiguration
{
    /// <summary>Reads the embedded file <c>gateway.demo.json</c>.</summary>
    public static IConfigurationRoot Load()
    {
        using var file = typeof(DemoConfiguration).Assembly.GetManifestResourceStream("gateway.demo.json")
            ?? throw new InvalidOperationException("The demo's configuration is not part of this build.");
        return new ConfigurationBuilder().AddJsonStream(file).Build();
    }
}
