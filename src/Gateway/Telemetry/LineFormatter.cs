using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Gateway.Telemetry;

/// <summary>Log lines that a person can read: time, level, the last word of the category, message; an exception on the lines below.</summary>
internal sealed class LineFormatter(TimeProvider time) : ConsoleFormatter(Name)
{
    /// <summary>Name for <c>Logging:Console:FormatterName</c>.</summary>
    public new const string Name = "line";

    private const int CategoryWidth = 12;

    /// <inheritdoc/>
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        if (message.Length == 0 && logEntry.Exception is null) return;
        // "Hosting failed to start" with its stack trace: the command says the same in one line.
        if (logEntry is { Category: "Microsoft.Extensions.Hosting.Internal.Host", EventId.Id: 11 }) return;
        var category = logEntry.Category[(logEntry.Category.LastIndexOf('.') + 1)..];
        textWriter.Write(time.GetLocalNow().ToString("HH:mm:ss.fff ", CultureInfo.InvariantCulture));
        textWriter.Write(Word(logEntry.LogLevel));
        textWriter.Write(category.PadRight(CategoryWidth));
        textWriter.Write(' ');
        // A line is one entry, whatever a peer's text contains.
        textWriter.WriteLine(message.ReplaceLineEndings(" "));
        if (logEntry.Exception is not null) textWriter.WriteLine(logEntry.Exception);
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace ",
        LogLevel.Debug => "debug ",
        LogLevel.Information => "info  ",
        LogLevel.Warning => "warn  ",
        LogLevel.Error => "error ",
        _ => "fatal ",
    };
}
