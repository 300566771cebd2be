using System.Text.Json;
using Microsoft.Extensions.Primitives;

namespace Gateway.Configuration;

/// <summary>
/// Reads the configuration again when a file changes. A valid one replaces the routes and devices that changed; an invalid one is logged with
/// everything that is wrong, and the running one stays. Backends and limits are made at the start: a change of theirs is said and waits for it.
/// </summary>
internal sealed class ConfigurationReloader(
    ConfigurationSources sources, GatewayConfiguration configuration, IEnumerable<IRouteRules> rules, TimeProvider time, ILogger<ConfigurationReloader> logger)
    : IHostedService, IDisposable
{
    /// <summary>Editors write a file in several steps; the last of them counts.</summary>
    internal static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(200);

    private readonly ConfigurationReader _reader = new(rules);
    private readonly Lock _gate = new();
    private IDisposable? _watching;
    private ITimer? _timer;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = time.CreateTimer(static state => ((ConfigurationReloader)state!).Reload(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        try
        {
            _watching = ChangeToken.OnChange(Watch, () => _timer.Change(Quiet, Timeout.InfiniteTimeSpan));
        }
        catch (IOException e)
        {
            // The system's limit of watchers (inotify) is reached; the gateway runs as well without.
            logger.NotWatching(e.Message);
        }

        return Task.CompletedTask;
    }

    /// <summary>Asked for again after each change, on a thread of the watcher's, where nobody would take an exception.</summary>
    private IChangeToken? Watch()
    {
        try
        {
            return sources.Watch();
        }
#pragma warning disable CA1031 // Whatever keeps the files from being watched, what runs does not need them.
        catch (Exception e)
#pragma warning restore CA1031
        {
            logger.NotWatching(e.Message);
            return null;
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        _watching?.Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _watching?.Dispose();
        _timer?.Dispose();
    }

    /// <summary>Reads all sources and takes them over if they are valid.</summary>
    internal void Reload()
    {
        // Two changes in a row could overlap on the timer's threads.
        lock (_gate)
        {
            try
            {
                TakeOver(_reader.Read(sources.Load()));
            }
            catch (ConfigurationException e)
            {
                logger.ReloadRefused(e.Problems.Count);
                foreach (var problem in e.Problems) logger.ReloadProblem(problem);
            }
#pragma warning disable CA1031 // The top of a timer's thread: whatever a reload runs into, the process and its configuration stay.
            catch (Exception e)
#pragma warning restore CA1031
            {
                logger.ReloadFailed(e);
            }
        }
    }

    private void TakeOver(GatewaySnapshot next)
    {
        var now = configuration.Current;
        if (!Same(now.Backends, next.Backends))
        {
            logger.ReloadNeedsRestart("Gateway:Backends");
            return;
        }

        if (!Same(now.Limits, next.Limits)) logger.ReloadNeedsRestart("Gateway:Limits");
        if (Same(now.Routes, next.Routes) && Same(now.Devices, next.Devices)) return;
        foreach (var failure in configuration.Replace(next)) logger.ReloadIncomplete(failure);
        logger.Reloaded(
            next.Routes.Keys.Count(name => !now.Routes.ContainsKey(name)),
            next.Routes.Count(route => now.Routes.TryGetValue(route.Key, out var before) && !Same(before, route.Value)),
            now.Routes.Keys.Count(name => !next.Routes.ContainsKey(name)));
    }

    private static bool Same<T>(IEnumerable<KeyValuePair<string, T>> one, IEnumerable<KeyValuePair<string, T>> other) =>
        Same<object>(one.OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase), other.OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase));

    private static bool Same<T>(T one, T other) => JsonSerializer.Serialize(one) == JsonSerializer.Serialize(other);
}

/// <summary>Log messages of reloading.</summary>
internal static partial class ReloadLog
{
    [LoggerMessage(9201, LogLevel.Information, "Configuration reloaded: {Added} routes added, {Changed} changed, {Removed} removed")]
    public static partial void Reloaded(this ILogger logger, int added, int changed, int removed);

    [LoggerMessage(9202, LogLevel.Error, "The changed configuration is not taken over, the running one stays; {Count} problems:")]
    public static partial void ReloadRefused(this ILogger logger, int count);

    [LoggerMessage(9203, LogLevel.Error, "{Problem}")]
    public static partial void ReloadProblem(this ILogger logger, string problem);

    [LoggerMessage(9205, LogLevel.Warning, "Configuration files are not watched, a change needs a restart: {Why}")]
    public static partial void NotWatching(this ILogger logger, string why);

    [LoggerMessage(9206, LogLevel.Error, "The changed configuration is not taken over, the running one stays: reloading failed")]
    public static partial void ReloadFailed(this ILogger logger, Exception exception);

    [LoggerMessage(9207, LogLevel.Error, "The changed configuration is taken over, but a part of it does not run; restart the gateway")]
    public static partial void ReloadIncomplete(this ILogger logger, Exception exception);

    [LoggerMessage(9204, LogLevel.Warning, "{Section} changed; restart the gateway to apply it")]
    public static partial void ReloadNeedsRestart(this ILogger logger, string section);
}
