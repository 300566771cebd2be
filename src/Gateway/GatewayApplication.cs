using System.Net;
using System.Reflection;
using Gateway.Backends;
using Gateway.Backends.Calling;
using Gateway.Calls;
using Gateway.Configuration;
using Gateway.Connections;
using Gateway.Demo;
using Gateway.Devices;
using Gateway.Documents;
using Gateway.Publishing;
using Gateway.Routing;
using Gateway.Streams;
using Gateway.Telemetry;
using Gateway.Templates;
using Gateway.Zws;
using Microsoft.AspNetCore.Connections;
using Zmtp.Transports;

namespace Gateway;

/// <summary>Puts the service together; nothing is decided here.</summary>
internal static class GatewayApplication
{
    /// <summary>Where the gateway listens when nothing says so: this machine only.</summary>
    public const string DefaultUrl = "http://127.0.0.1:8080";

    /// <summary>The version of this build.</summary>
    public static string Version { get; } =
        typeof(GatewayApplication).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Builds the service from what the sources say.</summary>
    /// <param name="configure">Registers services after the gateway's own; for tests.</param>
    /// <exception cref="ConfigurationException">The configuration cannot be used.</exception>
    public static WebApplication Build(ConfigurationSources sources, Action<IServiceCollection>? configure = null)
    {
        // Read first: the framework's own loader would throw at the first unreadable file.
        var configuration = sources.Load();
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            Args = [.. sources.Settings.Select(setting => $"--{setting}")],
            ContentRootPath = sources.Directory,
        });
        builder.Configuration.AddConfiguration(configuration);
        builder.AddConsoleLogging();
        AddWebServer(builder);
        AddServices(builder.Services, sources);
        using (var rules = RuleServices())
        {
            var snapshot = new ConfigurationReader(rules.GetServices<IRouteRules>()).Read(configuration);
            builder.Services.AddSingleton(new GatewayConfiguration(snapshot));
        }

        configure?.Invoke(builder.Services);
        var app = builder.Build();
        UsePipeline(app);
        return app;
    }

    /// <summary>The rules of all features, as <c>check</c> needs them: without the service.</summary>
    public static ServiceProvider RuleServices()
    {
        var services = new ServiceCollection();
        AddRouteRules(services);
        return services.BuildServiceProvider();
    }

    /// <summary>Time a TLS handshake may take.</summary>
    internal static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    private static void AddWebServer(WebApplicationBuilder builder)
    {
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.UseStrictHttp();
            kestrel.ConfigureEndpointDefaults(static listen => listen.UseConnectionGate().UseDirectOutput());
            kestrel.ConfigureHttpsDefaults(static https => https.HandshakeTimeout = HandshakeTimeout);
            var limits = kestrel.Limits;
            limits.MaxRequestLineSize = 8 * 1024;
            limits.MaxRequestHeadersTotalSize = 16 * 1024;
            limits.MaxRequestHeaderCount = 64;
            limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            // Every route that takes a body enforces its own MaxBodySize.
            limits.MaxRequestBodySize = null;
        });
        var isConfigured = builder.Configuration["urls"] is not null || builder.Configuration["http_ports"] is not null
            || builder.Configuration["https_ports"] is not null || builder.Configuration.GetSection("Kestrel:Endpoints").Exists();
        if (!isConfigured) builder.WebHost.UseUrls(DefaultUrl);
        foreach (var url in (builder.Configuration["urls"] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries)) CheckUrl(url);
    }

    /// <summary>The server would find out when it starts, and say it with a stack trace.</summary>
    private static void CheckUrl(string url)
    {
        if (!IsUrl(url)) throw new ConfigurationException(ConfigurationProblem.NotAllowed("urls", url, $"one or more such as {DefaultUrl}, separated by semicolons").ToString());
    }

    private static bool IsUrl(string url)
    {
        try
        {
            // Whatever is no address the server takes for "every address", a user in front of the host included.
            return BindingAddress.Parse(url) is var address && address.Port <= IPEndPoint.MaxPort
                && !address.Host.Contains('@', StringComparison.Ordinal);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static void AddServices(IServiceCollection services, ConfigurationSources sources)
    {
        services.AddSingleton(sources);
        services.AddRouting();
        services.AddSingleton<TimeProvider>(static provider => new GuardedTime(
            TimeProvider.System, () => provider.GetRequiredService<ILoggerFactory>().CreateLogger("Gateway.Background")));
        services.AddMetrics();
        services.AddSingleton(DescriptorLimit.OfProcess).AddSingleton<ConnectionGate>();
        // The last one goes first.
        services.AddSingleton<IConnectionListenerFactory, BoundedTransport>();
        services.AddSingleton<BackendMetrics>();
        services.AddSingleton<SocketSecurer>();
        // The demo's names are its own: two gateways in one process, as in tests, do not meet.
        services.AddSingleton(static provider => provider.GetRequiredService<GatewayConfiguration>().Current.IsDemo ? new InprocRegistry() : InprocRegistry.Shared);
        services.AddSingleton<IBackendFactory, ZmtpBackendFactory>();
        services.AddSingleton<IBackendRegistry, BackendRegistry>();
        services.AddSingleton<EndpointTrial>().AddSingleton<GatewayEndpointDataSource>();
        services.AddHostedService<DemoServices>();
        services.AddZws();
        services.AddCalls();
        services.AddStreams();
        services.AddPublishing();
        services.AddDevices();
        services.AddOpenApi();
        services.AddSingleton<HealthSnapshot>();
        services.AddHostedService<StartReport>();
        services.AddHostedService<ConfigurationReloader>();
        services.AddOptions<HostOptions>().Configure<GatewayConfiguration>(static (host, configuration) =>
        {
            // Kestrel lets requests in flight end until then; backends go after it.
            host.ShutdownTimeout = configuration.Current.Limits.DrainTimeout;
            // What fails in the background is logged by the host and does not stop it.
            host.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore;
        });
        AddRouteRules(services);
    }

    /// <summary>Each feature adds its <see cref="IRouteRules"/> here.</summary>
    private static void AddRouteRules(IServiceCollection services)
    {
        services.AddSingleton<IRouteRules, RequestRules>();
        services.AddSingleton<IRouteRules, CallRules>();
    }

    private static void UsePipeline(WebApplication app)
    {
        app.UseStrictHttp();
        app.UseLaneTurns();
        app.UseRouting();
        IEndpointRouteBuilder endpoints = app;
        endpoints.DataSources.Add(app.Services.GetRequiredService<GatewayEndpointDataSource>());
        app.MapHealth();
        app.MapDevices();
        app.MapOpenApi();
        app.UseEndpoints(static _ => { });
        app.UsePage();
        app.Run(Unrouted.NotFoundAsync);
    }
}
