using System.Collections.Concurrent;
using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Routing;
using Gateway.WebSockets;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.Streams;

/// <summary>What all stream routes share: the hub of each source, the sender loops, the memory, the clock and the list of who is connected.</summary>
internal sealed class StreamServices : IDisposable
{
    // Judged twice a second: the deadlines are seconds.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<IBackend, Lazy<TopicHub>> _hubs = [];
    private readonly ConcurrentDictionary<SubscriberSet, bool> _sets = [];
    private readonly SenderLoops _loops;

    public StreamServices(GatewayConfiguration configuration, SenderLoops loops, StreamMetrics metrics, TimeProvider time,
        ILogger<StreamServices> logger)
    {
        (_loops, Metrics, Limits) = (loops, metrics, configuration.Current.Limits);
        Timing = new WebSocketTiming(time, Limits.PingInterval, Limits.PongTimeout, Limits.WriteTimeout, Tick);
        Ticker = new WebSocketTicker(Timing, logger.TickFailed);
        metrics.Observe(Pool);
    }

    /// <summary>Limits as they were at the start; a reload changes those of topics, not those of connections.</summary>
    public LimitOptions Limits { get; }

    /// <summary>Deadlines of the connections.</summary>
    public WebSocketTiming Timing { get; }

    /// <summary>Judges them.</summary>
    public WebSocketTicker Ticker { get; }

    /// <summary>What is measured.</summary>
    public StreamMetrics Metrics { get; }

    /// <summary>The hub of a source; the first call starts the source.</summary>
    public TopicHub Hub(IBackend backend, BackendOptions options) => _hubs.GetOrAdd(
        backend, static (backend, state) => new Lazy<TopicHub>(() =>
        {
            var hub = new TopicHub((IMessageSource)backend, state.options, state.self._loops, state.self.Pool);
            state.self.Metrics.Observe(backend.Name, hub);
            return hub;
        }), (self: this, options)).Value;

    /// <summary>Memory in which messages wait.</summary>
    public SegmentPool Pool { get; } = new();

    /// <summary>A set for the subscribers of a route, closed at shutdown.</summary>
    public SubscriberSet NewSet()
    {
        var set = new SubscriberSet();
        _sets[set] = true;
        return set;
    }

    /// <summary>Forgets a set; its route is gone.</summary>
    public void Forget(SubscriberSet set) => _sets.TryRemove(set, out _);

    /// <summary>Closes every subscriber with 1001, over a third of the time that shutdown has and at most 10 s.</summary>
    public Task CloseAllAsync()
    {
        var spread = TimeSpan.FromSeconds(Math.Min(10, Limits.DrainTimeout.TotalSeconds / 3));
        var shares = Math.Max(1, (int)(spread / Tick));
        return Task.WhenAll(_sets.Keys.Select(set => set.CloseAsync(shares, () => Task.Delay(Tick, Timing.Time))));
    }

    /// <inheritdoc/>
    public void Dispose() => Ticker.Dispose();
}

/// <summary>Tells the subscribers when the gateway stops, before the web server begins to wait for them.</summary>
internal sealed class StreamShutdown(StreamServices streams, IHostApplicationLifetime lifetime) : IHostedService
{
    private Task _closing = Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(() => _closing = streams.CloseAllAsync());
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _closing.WaitAsync(cancellationToken);
}

/// <summary>Registers what streams need.</summary>
internal static class StreamRegistration
{
    /// <summary>Adds the route kind and its services.</summary>
    public static IServiceCollection AddStreams(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<StreamMetrics>().AddSingleton<SenderLoops>().AddSingleton<StreamServices>();
        services.AddHostedService<StreamShutdown>();
        return services.AddSingleton<IRouteKind, StreamRoutes>();
    }
}
