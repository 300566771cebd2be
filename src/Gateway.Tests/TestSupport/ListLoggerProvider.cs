using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.TestSupport;

/// <summary>Keeps everything that a whole gateway logs, at every level, exceptions included.</summary>
internal sealed class ListLoggerProvider : ILoggerProvider
{
    private readonly List<string> _lines = [];
    private TaskCompletionSource? _changed;

    /// <summary>What was logged so far, as <c>Level Category: message</c>, and the exception below it.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    /// <summary>Adds it to a gateway's services.</summary>
    public void Register(IServiceCollection services) =>
        services.AddLogging(logging =>
        logging.SetMinimumLevel(LogLevel.Debug).AddFilter<ListLoggerProvider>(null, LogLevel.Debug).AddProvider(this));

    /// <summary>Waits, bounded, until so many lines have the text.</summary>
    public async Task LineAsync(string text, int count = 1)
    {
        var deadline = DateTime.UtcNow.AddSeconds(30);
        while (true)
        {
            Task changed;
            lock (_lines)
            {
                if (_lines.Count(line => line.Contains(text, StringComparison.Ordinal)) >= count) return;
                changed = (_changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await changed.WaitAsync(deadline - DateTime.UtcNow);
        }
    }

    public ILogger CreateLogger(string categoryName) => new CategoryLogger(this, categoryName);

    public void Dispose()
    {
        // Nothing is held.
    }

    private void Add(string line)
    {
        lock (_lines)
        {
            _lines.Add(line);
            _changed?.TrySetResult();
            _changed = null;
        }
    }

    private sealed class CategoryLogger(ListLoggerProvider owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
            string> formatter) =>
            owner.Add($"{logLevel} {category}: {formatter(state, exception)}{(exception is null ? "" : $"\n{exception}")}");
    }
}
