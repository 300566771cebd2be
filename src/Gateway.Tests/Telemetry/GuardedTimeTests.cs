using Gateway.Telemetry;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Telemetry;

public class GuardedTimeTests
{
    [Fact]
    public void A_timer_that_throws_goes_on_and_is_logged_once()
    {
        var (clock, logger) = (new ManualTimeProvider(), new ListLogger<GuardedTimeTests>());
        var time = new GuardedTime(clock, () => logger);
        var calls = 0;
        using var timer = time.CreateTimer(
            _ =>
            {
                calls++;
                throw new InvalidOperationException("broken");
            },
            null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(3, calls);
        Assert.StartsWith("Error: A timer of Gateway.Tests.Telemetry.GuardedTimeTests", Assert.Single(logger.Lines),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_that_throws_does_not_end_the_process()
    {
        var clock = new ManualTimeProvider();
        var time = new GuardedTime(clock, static () => throw new ObjectDisposedException("log"));
        using var timer = time.CreateTimer(static _ => throw new InvalidOperationException("broken"), null, TimeSpan.FromSeconds(1),
            Timeout.InfiniteTimeSpan);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(1), time.GetElapsedTime(0));
    }

    [Fact]
    public async Task The_gateway_runs_on_it()
    {
        await using var gateway = await GatewayHost.StartAsync();
        Assert.IsType<GuardedTime>(gateway.Services.GetRequiredService<TimeProvider>());
    }
}
