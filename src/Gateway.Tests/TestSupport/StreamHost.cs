using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Streams;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.TestSupport;

/// <summary>A gateway with one stream route, <c>/s/{topic?}</c>, on a fake source.</summary>
internal sealed class StreamHost : IAsyncDisposable
{
    private readonly GatewayHost _gateway;

    private StreamHost(GatewayHost gateway)
    {
        _gateway = gateway;
        Source = ((FakeSources)gateway.Services.GetRequiredService<IBackendRegistry>())["feed"];
    }

    public FakeMessageSource Source { get; }

    public GatewayHost Gateway => _gateway;

    public int Port => _gateway.BaseAddress.Port;

    public StreamServices Streams => _gateway.Services.GetRequiredService<StreamServices>();

    public TopicHub Hub => Streams.Hub(Source, new BackendOptions());

    /// <summary>Counters of the route.</summary>
    public StreamCounters Counters => Streams.Metrics.All.Single();

    /// <param name="settings">Of the route, such as <c>ContentType=text/plain</c>, or full paths beginning with <c>Gateway:</c>.</param>
    public static Task<StreamHost> StartAsync(params string[] settings) => StartAsync(static _ => { }, settings);

    public static async Task<StreamHost> StartAsync(Action<IServiceCollection> configure, params string[] settings)
    {
        var gateway = await GatewayHost.StartAsync(
            services =>
            {
                services.AddSingleton<IBackendRegistry, FakeSources>();
                configure(services);
            },
            ["Gateway:Backends:feed:Socket=SUB", "Gateway:Backends:feed:Connect:0=inproc://feed", "Gateway:Routes:s:Path=/s/{topic?}",
                "Gateway:Routes:s:Backend=feed", .. settings.Select(s => s.StartsWith("Gateway:", StringComparison.Ordinal) ? s : $"Gateway:Routes:s:{s}")]);
        return new StreamHost(gateway);
    }

    /// <summary>Opens a subscription; what the source sends from now on is for it.</summary>
    public Task<RawWebSocketClient> OpenAsync(string target = "/s") => RawWebSocketClient.OpenAsync(Port, target);

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();
}
