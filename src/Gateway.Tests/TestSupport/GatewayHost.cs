using Gateway.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.TestSupport;

/// <summary>The whole gateway in this process, on a real Kestrel and a free port, with a directory of its own.</summary>
internal sealed class GatewayHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConfigurationSources _sources;
    private readonly DirectoryInfo _directory;

    private GatewayHost(WebApplication app, ConfigurationSources sources, DirectoryInfo directory)
    {
        (_app, _sources, _directory) = (app, sources, directory);
        BaseAddress = new Uri(app.Urls.First());
        Client = new HttpClient { BaseAddress = BaseAddress };
    }

    /// <summary>Where it listens, such as <c>http://127.0.0.1:40123</c>.</summary>
    public Uri BaseAddress { get; }

    /// <summary>A client with <see cref="BaseAddress"/>.</summary>
    public HttpClient Client { get; }

    /// <summary>Services of the running gateway.</summary>
    public IServiceProvider Services => _app.Services;

    /// <summary>Where it looks for <c>gateway.json</c>.</summary>
    public string Directory => _directory.FullName;

    /// <summary>Starts it.</summary>
    /// <param name="settings">Configuration as <c>Gateway:Backends:echo:Socket=REQ</c>; <c>urls=</c> for a port that is not just any.</param>
    public static Task<GatewayHost> StartAsync(params string[] settings) => StartAsync(static _ => { }, settings);

    /// <summary>Starts it with services added or replaced, such as a fake <c>IBackendRegistry</c>.</summary>
    public static async Task<GatewayHost> StartAsync(Action<IServiceCollection> configure, params string[] settings)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("gateway-");
        string[] free = settings.Any(static setting => setting.StartsWith("urls=", StringComparison.Ordinal)) ? [] : ["urls=http://127.0.0.1:0"];
        var sources = new ConfigurationSources(directory.FullName, [], [.. free, .. settings]);
        var app = GatewayApplication.Build(sources, configure);
        await app.StartAsync();
        return new GatewayHost(app, sources, directory);
    }

    /// <summary>Stops it as a signal would.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _sources.Dispose();
        _directory.Delete(recursive: true);
    }
}
