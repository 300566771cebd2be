using Microsoft.Extensions.Configuration.Memory;

namespace Gateway.Telemetry;

/// <summary>Sets the console log up. All of it can be changed by the section <c>Logging</c>.</summary>
internal static class ConsoleLogging
{
    private static readonly Dictionary<string, string?> Defaults = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft"] = "Warning",
        // Enabled at any level, it makes the server create an Activity for each request, which nothing here reads.
        ["Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics"] = "None",
    };

    /// <summary>Adds it.</summary>
    public static void AddConsoleLogging(this WebApplicationBuilder builder)
    {
        // The lowest of all sources: whatever else is said wins.
        ((IConfigurationBuilder)builder.Configuration).Sources.Insert(0, new MemoryConfigurationSource { InitialData = Defaults });
        // The slim builder has chosen its own formatter in code by now, which goes before the configuration.
        var formatter = builder.Configuration["Logging:Console:FormatterName"] ?? LineFormatter.Name;
        builder.Logging.AddConsole(options => options.FormatterName = formatter);
        builder.Logging.AddConsoleFormatter<LineFormatter, Microsoft.Extensions.Logging.Console.ConsoleFormatterOptions>();
    }
}
