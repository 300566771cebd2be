using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Gateway.Zws;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Zmtp.Sockets;

namespace Gateway.Tests.Calls;

/// <summary>Requests of ZeroMQ peers that get no reply: each is counted by its reason.</summary>
public sealed class ZwsUnansweredTests : IDisposable
{
    private readonly ListLogger<ZwsServices> _log = new();
    private readonly Channel<string> _counted = Channel.CreateUnbounded<string>();
    private MeterListener? _listener;

    [Fact]
    public async Task A_request_that_the_service_never_answers_is_counted_and_logged_and_the_peer_stays()
    {
        await using var service = new RepSocket();
        await using var gateway = await StartAsync(service.Bind("tcp://127.0.0.1:*"));
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/call", "REQ");
        await using var open = client;
        await client.SendMessageAsync("", "x");
        using (var request = await service.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Assert.Equal("x", request.Text(0));
        Assert.Equal("call backend-timeout", await NextCountedAsync());
        Assert.Contains(_log.Lines, line => line.StartsWith("Debug: Route call: ", StringComparison.Ordinal) && line.EndsWith("got no answer (backend-timeout)", StringComparison.Ordinal));
        await client.SettleAsync();
    }

    [Fact]
    public async Task An_envelope_without_a_body_is_counted()
    {
        await using var service = new RepSocket();
        await using var gateway = await StartAsync(service.Bind("tcp://127.0.0.1:*"));
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/call", "DEALER");
        await using var open = client;
        await client.SendMessageAsync("id", "");
        Assert.Equal("call bad-request", await NextCountedAsync());
        Assert.False(service.TryReceive(out _));
    }

    public void Dispose() => _listener?.Dispose();

    private async Task<GatewayHost> StartAsync(string service)
    {
        var gateway = await GatewayHost.StartAsync(
            services => services.AddSingleton<ILogger<ZwsServices>>(_log),
            "Gateway:Backends:b:Socket=REQ", $"Gateway:Backends:b:Connect:0={service}", "Gateway:Backends:b:Timeout=00:00:00.3", "Gateway:Routes:call:Path=/call", "Gateway:Routes:call:Backend=b");
        // Other gateways in this process have meters of the same name.
        var meters = gateway.Services.GetRequiredService<IMeterFactory>();
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "gateway.zws.unanswered_messages" && instrument.Meter.Scope == meters) listener.EnableMeasurementEvents(instrument);
            },
        };
        _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            Assert.Equal(1, count);
            _counted.Writer.TryWrite(string.Join(' ', tags.ToArray().Select(tag => tag.Value)));
        });
        _listener.Start();
        return gateway;
    }

    private Task<string> NextCountedAsync() => _counted.Reader.ReadAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
}
