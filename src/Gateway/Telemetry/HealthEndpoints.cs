using System.Text.Json;
using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Routing;
using Microsoft.Net.Http.Headers;

namespace Gateway.Telemetry;

/// <summary><c>/health/live</c> and <c>/health/ready</c>, for orchestrators, load balancers and the page.</summary>
internal static class HealthEndpoints
{
    /// <summary>Path of the liveness probe.</summary>
    public const string Live = "/health/live";

    /// <summary>Path of the readiness probe.</summary>
    public const string Ready = "/health/ready";

    private static readonly string[] Methods = ["GET", "HEAD"];
    private static readonly byte[] LiveBody = JsonSerializer.SerializeToUtf8Bytes(new LiveDocument("live"), HealthJson.Default.LiveDocument);

    /// <summary>Maps both.</summary>
    public static void MapHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapMethods(Live, Methods, static context => WriteAsync(context, StatusCodes.Status200OK, LiveBody));
        endpoints.MapMethods(Ready, Methods, static context =>
        {
            var (isUp, body) = context.RequestServices.GetRequiredService<HealthSnapshot>().Current;
            return WriteAsync(context, isUp ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, body);
        });
        endpoints.MapOtherMethods(Live, Methods);
        endpoints.MapOtherMethods(Ready, Methods);
    }

    /// <summary>The state of everything, now.</summary>
    internal static HealthDocument Read(IServiceProvider services)
    {
        var backends = services.GetRequiredService<IBackendRegistry>().All
            .ToDictionary(backend => backend.Name, backend => new BackendHealth(backend.Socket, backend.IsReady, backend.WhyNotReady, backend.Notice, backend.Endpoints), StringComparer.OrdinalIgnoreCase);
        var routes = services.GetRequiredService<GatewayEndpointDataSource>().Routes
            .ToDictionary(route => route.Name, route => new RouteHealth(route.Options.Path, route.Methods, route.Kind.Word(), route.Options.Backend), StringComparer.OrdinalIgnoreCase);
        var devices = services.GetRequiredService<IDeviceHealth>().Health;
        var isDraining = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested;
        var isDemo = services.GetRequiredService<GatewayConfiguration>().Current.IsDemo;
        var ready = backends.Values.Count(backend => backend.Ready) + devices.Values.Count(device => device.Ready);
        return new HealthDocument(isDraining ? "draining" : StatusOf(ready, backends.Count + devices.Count), isDemo, GatewayApplication.Version, backends, routes, devices);
    }

    private static string StatusOf(int ready, int all)
    {
        if (ready == all) return "ready";
        return ready == 0 ? "unready" : "degraded";
    }

    private static Task WriteAsync(HttpContext context, int status, byte[] body)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        response.Headers[HeaderNames.CacheControl] = "no-store";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body).AsTask();
    }
}
