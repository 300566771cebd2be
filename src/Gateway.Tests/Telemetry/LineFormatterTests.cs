using Gateway.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Telemetry;

public class LineFormatterTests
{
    [Fact]
    public void A_log_entry_is_one_line_with_time_level_category_and_message()
    {
        Assert.Matches(@"^\d\d:\d\d:\d\d\.\d{3} warn  BackendLog   peer said a b\n$", Format(LogLevel.Warning, "Gateway.Backends.BackendLog", "peer said a\r\nb", exception: null));
    }

    [Fact]
    public void An_exception_stands_below_its_line()
    {
        var text = Format(LogLevel.Error, "Gateway", "failed", new InvalidOperationException("why"));
        Assert.Contains("failed\nSystem.InvalidOperationException: why\n", text, StringComparison.Ordinal);
    }

    private static string Format(LogLevel level, string category, string message, Exception? exception)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        var entry = new LogEntry<string>(level, category, default, message, exception, static (state, _) => state);
        new LineFormatter(TimeProvider.System).Write(entry, scopeProvider: null, writer);
        return writer.ToString();
    }
}
