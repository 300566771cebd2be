using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Gateway.Routing;
using Microsoft.Net.Http.Headers;

namespace Gateway.Devices;

/// <summary><c>/gateway/devices</c>: what the devices do, and the way to steer them.</summary>
internal static class DeviceEndpoints
{
    /// <summary>Path of the list.</summary>
    public const string List = "/gateway/devices";

    /// <summary>Path of one device.</summary>
    public const string One = "/gateway/devices/{name}";

    /// <summary>Path that steers one.</summary>
    public const string Steer = "/gateway/devices/{name}/{action}";

    /// <summary>Path of a live view.</summary>
    public const string Tap = "/gateway/devices/{name}/tap";

    /// <summary>What a device can be told.</summary>
    public static readonly string[] Actions = ["start", "stop", "restart", "pause", "resume"];

    private static readonly string[] Reading = ["GET", "HEAD"];
    private static readonly string[] Getting = ["GET"];
    private static readonly string[] Posting = ["POST"];

    /// <summary>Maps all.</summary>
    public static void MapDevices(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapMethods(List, Reading, static context => WriteAsync(
            context, new DeviceListDocument([.. Devices(context).All.Select(DeviceDocuments.Of)]), DeviceJson.Default.DeviceListDocument));
        endpoints.MapMethods(One, Reading, static context => Find(context) is { } device
            ? WriteAsync(context, DeviceDocuments.Of(device), DeviceJson.Default.DeviceDocument)
            : UnknownAsync(context));
        endpoints.MapMethods(Tap, Getting, static context => context.RequestServices.GetRequiredService<TapEndpoint>().HandleAsync(context, Find(context)));
        endpoints.MapMethods(Steer, Posting, SteerAsync);
        endpoints.MapOtherMethods(List, Reading);
        endpoints.MapOtherMethods(One, Reading);
        endpoints.MapOtherMethods(Tap, Getting);
        endpoints.MapOtherMethods(Steer, Posting);
    }

    /// <summary>No device has the name.</summary>
    internal static Task UnknownAsync(HttpContext context)
    {
        var names = string.Join(", ", Devices(context).All.Select(device => device.Name));
        return Problems.WriteAsync(
            context, StatusCodes.Status404NotFound, "unknown-device",
            $"No device has the name '{context.Request.RouteValues["name"]}'; {(names.Length == 0 ? "none is configured" : $"configured: {names}")}.");
    }

    /// <summary>Answers who may neither steer nor watch: other machines, and pages of other sites.</summary>
    /// <returns>Whether it did.</returns>
    internal static async Task<bool> IsRefusedAsync(HttpContext context)
    {
        if (!LocalOnly.Holds(context))
        {
            await Problems.WriteAsync(
                context, StatusCodes.Status403Forbidden, "not-local",
                "Until Gateway has access control, devices are steered and watched only from the machine (or container) that it runs on, "
                + "over a loopback address and not through a proxy.");
            return true;
        }

        if (SameOrigin.Holds(context.Request, context.RequestServices.GetRequiredService<IConfiguration>()["AllowedHosts"])) return false;
        await Problems.WriteAsync(
            context, StatusCodes.Status403Forbidden, "cross-site",
            "Devices are not steered or watched from pages of other sites, "
            + "nor under a host name that is neither a loopback name nor listed in AllowedHosts.");
        return true;
    }

    private static async Task SteerAsync(HttpContext context)
    {
        if (await IsRefusedAsync(context)) return;
        var action = ((string)context.Request.RouteValues["action"]!).ToLowerInvariant();
        if (!Actions.Contains(action, StringComparer.Ordinal))
        {
            await Unrouted.NotFoundAsync(context);
            return;
        }

        if (Find(context) is not { } device)
        {
            await UnknownAsync(context);
            return;
        }

        if (!await SteerAsync(device, action))
        {
            await Problems.WriteAsync(context, StatusCodes.Status409Conflict, "device-not-running", $"Device '{device.Name}' does not run, so there is nothing to {action}; start it.");
            return;
        }

        await WriteAsync(context, DeviceDocuments.Of(device), DeviceJson.Default.DeviceDocument);
    }

    private static async Task<bool> SteerAsync(Device device, string action)
    {
        switch (action)
        {
            case "pause":
                return device.Pause();
            case "resume":
                return device.Resume();
            case "start":
                await device.StartAsync();
                return true;
            case "stop":
                await device.StopAsync();
                return true;
            default:
                await device.RestartAsync();
                return true;
        }
    }

    private static DeviceRegistry Devices(HttpContext context) => context.RequestServices.GetRequiredService<DeviceRegistry>();

    private static Device? Find(HttpContext context) => Devices(context).TryGet((string)context.Request.RouteValues["name"]!, out var device) ? device : null;

    private static Task WriteAsync<T>(HttpContext context, T document, JsonTypeInfo<T> type)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(document, type);
        var response = context.Response;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        response.Headers[HeaderNames.CacheControl] = "no-store";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body).AsTask();
    }
}
