using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.TestSupport;

/// <summary>Keeps everything that a whole gateway logs, at every level, exceptions included.</summary>
internal sealed class ListLoggerProvider : ILoggerProvider
{
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> IsIt, TaskCompletionSource<string> Came)> _waiting = [];

    /// <summary>What was logged so far, as <c>Level Category: message</c>, and the exception below it.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    /// <summary>Adds it to a gateway's services.</summary>
    public void Register(IServiceCollection services) => services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddFilter<ListLoggerProvider>(null, LogLevel.Debug).AddProvider(this));

    /// <summary>The first line with the text, now or once it comes.</summary>
    public Task<string> LineAsync(string text)
    {
        lock (_lines)
        {
            if (_lines.Find(line => line.Contains(text, StringComparison.Ordinal)) is { } line) return Task.FromResult(line);
            var came = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((line => line.Contains(text, StringComparison.Ordinal), came));
            return came.Task.WaitAsync(TimeSpan.FromSeconds(30));
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
            foreach (var (isIt, came) in _waiting)
            {
                if (isIt(line)) came.TrySetResult(line);
            }
        }
    }

    private sealed class CategoryLogger(ListLoggerProvider owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner.Add($"{logLevel} {category}: {formatter(state, exception)}{(exception is null ? "" : $"\n{exception}")}");
    }
}
