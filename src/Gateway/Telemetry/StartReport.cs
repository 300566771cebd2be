using Gateway.Configuration;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Zmtp.Wire;

namespace Gateway.Telemetry;

/// <summary>Says at the start what runs and where, and at the end that it ends.</summary>
internal sealed class StartReport(GatewayConfiguration configuration, IServer server, IHostApplicationLifetime lifetime, ILoggerFactory loggers) : IHostedService
{
    private readonly ILogger _logger = loggers.CreateLogger("Gateway");

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(Started);
        lifetime.ApplicationStopping.Register(() => _logger.Draining(configuration.Current.Limits.DrainTimeout));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Started()
    {
        foreach (var line in Lines(configuration.Current)) _logger.Report(line);
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        foreach (var address in addresses) _logger.Listening(address);
        if (addresses.FirstOrDefault() is { } first) _logger.Pages(Browsable(first));
    }

    /// <summary>A table of what is configured, one line each.</summary>
    internal static IEnumerable<string> Lines(GatewaySnapshot snapshot)
    {
        yield return snapshot.IsDemo
            ? $"Gateway {GatewayApplication.Version}: nothing is configured, so the demo runs (no gateway.json or gateway.yaml here, no --config)"
            : $"Gateway {GatewayApplication.Version}";
        if (snapshot.Routes.Count + snapshot.Devices.Count == 0) yield return "no route is configured: nothing but health and the pages is served";
        var width = snapshot.Backends.Keys.Concat(snapshot.Routes.Keys).Concat(snapshot.Devices.Keys).Select(name => name.Length).DefaultIfEmpty().Max();
        foreach (var (name, backend) in snapshot.Backends.OrderBy(backend => backend.Key, StringComparer.OrdinalIgnoreCase))
        {
            var endpoints = backend.Connect.Concat(backend.Bind.Select(endpoint => $"{endpoint} (bound)"));
            yield return $"backend {name.PadRight(width)}  {backend.Socket,-6} {string.Join(", ", endpoints)}";
        }

        foreach (var (name, device) in snapshot.Devices.OrderBy(device => device.Key, StringComparer.OrdinalIgnoreCase))
        {
            yield return $"device  {name.PadRight(width)}  {device.Type,-6} {Side(DeviceSockets.Frontend(device), device.Frontend)} <-> {Side(DeviceSockets.Backend(device), device.Backend)}";
        }

        foreach (var (name, route) in snapshot.Routes.OrderBy(route => route.Key, StringComparer.OrdinalIgnoreCase))
        {
            var kind = SocketRoles.KindOf(snapshot.Backends[route.Backend].Socket)!.Value;
            var methods = kind == RouteKinds.Stream ? "WS" : string.Join(',', RouteMethods.Of(route, kind));
            yield return $"route   {name.PadRight(width)}  {methods,-6} {route.Path} ({kind.Word()}, {route.Backend})";
        }
    }

    private static string Side(SocketType type, DeviceSideOptions side) =>
        $"{type.Name()} {string.Join(", ", side.Connect.Concat(side.Bind.Select(endpoint => $"{endpoint} (bound)")))}";

    /// <summary>Where to point a browser on this machine: a wildcard address is none.</summary>
    private static string Browsable(string address) => address
        .Replace("//0.0.0.0:", "//localhost:", StringComparison.Ordinal)
        .Replace("//[::]:", "//localhost:", StringComparison.Ordinal);
}

/// <summary>Log messages of start and end.</summary>
internal static partial class StartLog
{
    [LoggerMessage(9101, LogLevel.Information, "{Line}")]
    public static partial void Report(this ILogger logger, string line);

    [LoggerMessage(9102, LogLevel.Information, "Now listening on: {Address}")]
    public static partial void Listening(this ILogger logger, string address);

    [LoggerMessage(9104, LogLevel.Information, "Open {Page} in a browser; the API is at {Page}/swagger")]
    public static partial void Pages(this ILogger logger, string page);

    [LoggerMessage(9103, LogLevel.Information, "Stopping: no new connections; requests in flight have {DrainTimeout}")]
    public static partial void Draining(this ILogger logger, TimeSpan drainTimeout);
}
