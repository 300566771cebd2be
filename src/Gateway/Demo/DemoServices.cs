using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using Gateway.Configuration;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Transports;

namespace Gateway.Demo;

/// <summary>The services behind the demo's routes, in this process and over the same engine: a calculator, a clock, quotes and a waveform.</summary>
internal sealed class DemoServices(GatewayConfiguration configuration, InprocRegistry inproc, TimeProvider time) : BackgroundService
{
    private readonly ZmtpOptions _options = new() { Inproc = inproc };
    private static readonly (string Symbol, double Price)[] Symbols =
        [("EURUSD", 1.0842), ("EURGBP", 0.8531), ("EURJPY", 163.21), ("GBPUSD", 1.2710), ("USDJPY", 150.53), ("USDCHF", 0.8812), ("AUDUSD", 0.6527), ("BTCUSD", 97_420)];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!configuration.Current.IsDemo) return;
        await Task.WhenAll(CalculateAsync(stoppingToken), TellTimeAsync(stoppingToken), QuoteAsync(stoppingToken), DrawAsync(stoppingToken));
    }

    private async Task CalculateAsync(CancellationToken stopping)
    {
        await using var router = new RouterSocket(_options);
        // Behind the demo's device, which has the name that the backend connects to.
        router.Bind("inproc://demo-calculator-service");
        while (await NextAsync(router, stopping) is { } request)
        {
            using (request)
            {
                var reply = Message.Create();
                for (var i = 0; i < request.Count - 1; i++) reply.Add(request[i].Span);
                reply.Add(Sum(request[request.Count - 1].Span));
                router.Send(reply);
            }
        }
    }

    private static async ValueTask<Message?> NextAsync(RouterSocket router, CancellationToken stopping)
    {
        try
        {
            return await router.ReceiveAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private static byte[] Sum(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            using var json = JsonDocument.ParseValue(ref reader);
            var sum = Term(json.RootElement, "a") + Term(json.RootElement, "b");
            return JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, decimal>(StringComparer.Ordinal) { ["sum"] = sum });
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            return "{\"error\":\"send two numbers, such as {\\\"a\\\":2,\\\"b\\\":40}\"}"u8.ToArray();
        }

        static decimal Term(JsonElement request, string name) => request.GetProperty(name).GetDecimal();
    }

    private async Task TellTimeAsync(CancellationToken stopping)
    {
        await using var clock = new PubSocket(_options);
        clock.Bind("inproc://demo-clock");
        await EveryAsync(TimeSpan.FromSeconds(1), () =>
        {
            var now = time.GetUtcNow();
            clock.Send(Message.Of(JsonSerializer.Serialize(new Dictionary<string, string>(StringComparer.Ordinal) { ["time"] = now.ToString("O", CultureInfo.InvariantCulture) })));
        }, stopping);
    }

    private async Task QuoteAsync(CancellationToken stopping)
    {
        await using var quotes = new PubSocket(_options);
        quotes.Bind("inproc://demo-quotes");
        var prices = Symbols.Select(s => s.Price).ToArray();
        var turn = 0;
        // 40 messages a second over all symbols.
        await EveryAsync(TimeSpan.FromMilliseconds(25), () =>
        {
            var at = turn++ % Symbols.Length;
#pragma warning disable CA5394 // A random walk for show, not a secret.
            prices[at] *= 1 + ((Random.Shared.NextDouble() - 0.5) * 0.0006);
#pragma warning restore CA5394
            var price = Math.Round(prices[at], prices[at] > 1000 ? 1 : prices[at] > 20 ? 3 : 5);
            var json = string.Create(CultureInfo.InvariantCulture, $"{{\"symbol\":\"{Symbols[at].Symbol}\",\"price\":{price},\"time\":\"{time.GetUtcNow():O}\"}}");
            quotes.Send(Message.Of(Symbols[at].Symbol, json));
        }, stopping);
    }

    private async Task DrawAsync(CancellationToken stopping)
    {
        await using var waveform = new PubSocket(_options);
        waveform.Bind("inproc://demo-waveform");
        var samples = new byte[512 * sizeof(float)];
        var frame = 0;
        await EveryAsync(TimeSpan.FromMilliseconds(1000.0 / 30), () =>
        {
            var phase = frame++ * 0.12;
            for (var i = 0; i < 512; i++)
            {
                // Two tones that beat against each other, under a slow swell.
                var x = i / 512.0;
                var y = (Math.Sin((2 * Math.PI * 3 * x) + phase) * 0.6) + (Math.Sin((2 * Math.PI * 11 * x) - (phase * 1.7)) * 0.25 * (1 + Math.Sin(phase * 0.21)));
                BinaryPrimitives.WriteSingleLittleEndian(samples.AsSpan(i * sizeof(float)), (float)y);
            }

            waveform.Send(Message.Of(samples));
        }, stopping);
    }

    private async Task EveryAsync(TimeSpan period, Action action, CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping)) action();
        }
        catch (OperationCanceledException)
        {
            // The demo ends with the gateway.
        }
    }
}
