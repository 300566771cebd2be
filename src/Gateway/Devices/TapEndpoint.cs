using System.Globalization;
using Gateway.Configuration;
using Gateway.Routing;
using Gateway.WebSockets;

namespace Gateway.Devices;

/// <summary>Shows a device's traffic on a WebSocket, one JSON text per message.</summary>
internal sealed class TapEndpoint : IDisposable
{
    private const int DefaultBytes = 256;
    private const int MostBytes = 64 * 1024;
    private const int DefaultRate = 100;
    private const int MostRate = 1_000;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    private readonly WebSocketLimits _limits;
    private readonly WebSocketTiming _timing;
    private readonly WebSocketTicker _ticker;
    private readonly IHostApplicationLifetime _lifetime;

    public TapEndpoint(GatewayConfiguration configuration, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        var limits = configuration.Current.Limits;
        _limits = new WebSocketLimits(limits.MaxWebSocketMessageSize, limits.MaxWebSocketFragments, WebSocketDataPolicy.Discard);
        _timing = new WebSocketTiming(time, limits.PingInterval, limits.PongTimeout, limits.WriteTimeout, Tick);
        _ticker = new WebSocketTicker(_timing);
        _lifetime = lifetime;
    }

    /// <summary>Watches until the connection or the device ends; answers what is no WebSocket with a problem.</summary>
    public async Task HandleAsync(HttpContext context, Device? device)
    {
        if (await DeviceEndpoints.IsRefusedAsync(context)) return;
        if (device is null)
        {
            await DeviceEndpoints.UnknownAsync(context);
            return;
        }

        if (Number(context, "max", DefaultBytes, MostBytes) is not { } maxBytes || Number(context, "rate", DefaultRate, MostRate) is not { } rate)
        {
            await Problems.WriteAsync(
                context, StatusCodes.Status400BadRequest, ProblemCode.BadRequest,
                $"max is the number of bytes shown of each frame, 1 to {MostBytes}; rate the number of messages shown in a second, 1 to {MostRate}.");
            return;
        }

        if (!WebSocketHandshake.TryCheck(context, supported: [], requireSubprotocol: false, out var subprotocol, out var refusal))
        {
            await RefuseAsync(context, device, refusal);
            return;
        }

        // Before the 101: whoever sees it gets everything from then on.
        var admission = device.Taps.TryAdd(maxBytes, rate, out var watcher);
        if (admission == TapAdmission.Full)
        {
            await Problems.WriteAsync(
                context, StatusCodes.Status429TooManyRequests, "too-many-taps",
                $"Device '{device.Name}' is watched by {DeviceTaps.Most} taps already, which is the most; close one.");
            return;
        }

        if (watcher is null)
        {
            await DeviceEndpoints.UnknownAsync(context);
            return;
        }

        try
        {
            await ShowAsync(context, await WebSocketHandshake.AcceptAsync(context, subprotocol), watcher);
        }
        finally
        {
            device.Taps.Remove(watcher);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ticker.Dispose();

    private async Task ShowAsync(HttpContext context, WebSocketTransport transport, TapWatcher watcher)
    {
        var abort = new ConnectionAbort(context);
        using var connection = new WebSocketConnection(transport, _limits, _timing, static (_, _, _) => default, abort.Abort);
        try
        {
            var showing = SendAsync(connection, watcher);
            await connection.RunAsync(_ticker, _lifetime.ApplicationStopping);
            watcher.End();
            await showing;
        }
        finally
        {
            abort.Disarm();
        }
    }

    private static async Task SendAsync(WebSocketConnection connection, TapWatcher watcher)
    {
        if (!await watcher.SendAllAsync(text => connection.SendAsync(WebSocketOpcode.Text, text))) return;
        // The device is gone, or the connection: then this says nothing.
        await connection.CloseAsync(WebSocketCloseCode.GoingAway, "the device is gone");
    }

    private static int? Number(HttpContext context, string name, int fallback, int most)
    {
        if (!context.Request.Query.TryGetValue(name, out var text)) return fallback;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1 && value <= most ? value : null;
    }

    private static Task RefuseAsync(HttpContext context, Device device, WebSocketRefusal refusal)
    {
        // The problem document clears the headers, so these come after it.
        context.Response.OnStarting(() =>
        {
            refusal.ApplyTo(context.Response);
            return Task.CompletedTask;
        });
        var detail = WebSocketHandshake.IsRequested(context) ? refusal.Detail : $"The tap of device '{device.Name}' is a WebSocket, such as new WebSocket(\"ws://…{context.Request.Path}\") in a browser.";
        return Problems.WriteAsync(context, refusal.Status, refusal.Code, detail);
    }
}
