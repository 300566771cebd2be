namespace Gateway.Telemetry;

/// <summary>The clock of the gateway: a timer's callback that throws is logged, instead of ending the process.</summary>
/// <param name="inner">The clock behind it.</param>
/// <param name="logger">Asked for when something failed: the log itself has the time from here.</param>
internal sealed class GuardedTime(TimeProvider inner, Func<ILogger> logger) : TimeProvider
{
    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

    /// <inheritdoc/>
    public override long TimestampFrequency => inner.TimestampFrequency;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

    /// <inheritdoc/>
    public override long GetTimestamp() => inner.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return inner.CreateTimer(new Guard(callback, logger).Run, state, dueTime, period);
    }

    /// <summary>One timer. What fails at every tick is said once.</summary>
    private sealed class Guard(TimerCallback callback, Func<ILogger> logger)
    {
        private bool _hasFailed;

        public void Run(object? state)
        {
            try
            {
                callback(state);
            }
#pragma warning disable CA1031 // The top of a timer's thread, where an exception would end the process.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Tell(e);
            }
        }

        private void Tell(Exception exception)
        {
            if (Interlocked.Exchange(ref _hasFailed, true)) return;
            try
            {
                logger().TimerFailed(exception, callback.Method.DeclaringType?.FullName ?? callback.Method.Name);
            }
#pragma warning disable CA1031 // A log that fails, as at the end of the process, is no reason to end it.
            catch (Exception)
#pragma warning restore CA1031
            {
                return;
            }
        }
    }
}

/// <summary>Log messages of what runs by itself.</summary>
internal static partial class BackgroundLog
{
    [LoggerMessage(9301, LogLevel.Error, "A timer of {Owner} failed; it goes on, and a further failure is not told")]
    public static partial void TimerFailed(this ILogger logger, Exception exception, string owner);
}
