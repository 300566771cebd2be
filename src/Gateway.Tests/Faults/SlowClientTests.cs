using System.Diagnostics;
using Gateway.Tests.TestSupport;
using Xunit.Abstractions;

namespace Gateway.Tests.Faults;

/// <summary>Rows 1 and 3 of docs/reliability.md: clients that are so slow that only time can end them.</summary>
[Collection("Alone")]
public class SlowClientTests(ITestOutputHelper output)
{
    private const int Connections = 200;

    [Fact]
    public async Task Connections_that_drip_their_headers_are_closed_after_10_s_and_others_are_served()
    {
        await using var gateway = await FakeCaller.Replying("fine").StartAsync();
        await using var honest = new HonestClient(async () => Assert.Equal("fine", await CallAsync(gateway)));
        var lives = await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => DripAsync(gateway.BaseAddress)));
        output.WriteLine($"{Connections} closed after {lives.Min().TotalSeconds:0.0} to {lives.Max().TotalSeconds:0.0} s");
        output.WriteLine(await honest.AssertServedAsync());
        Assert.InRange(lives.Max().TotalSeconds, 9, 15);
    }

    [Fact]
    public async Task A_body_at_10_bytes_a_second_is_refused_within_15_s_and_others_are_served()
    {
        await using var gateway = await FakeCaller.Replying("fine").StartAsync();
        await using var honest = new HonestClient(async () => Assert.Equal("fine", await CallAsync(gateway)));
        using var slow = new RawHttpClient(gateway.BaseAddress);
        await slow.SendAsync("POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
        var watch = Stopwatch.StartNew();
        var answer = slow.ReadToEndAsync();
        await DripAsync(slow, answer, TimeSpan.FromMilliseconds(100));
        output.WriteLine($"ended after {watch.Elapsed.TotalSeconds:0.0} s; {await honest.AssertServedAsync()}");
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 15);
        // Cut, or told so; never taken for a whole body.
        Assert.Matches("^(HTTP/1.1 408 |$)", await answer);
    }

    private static async Task<TimeSpan> DripAsync(Uri address)
    {
        using var client = new RawHttpClient(address);
        var watch = Stopwatch.StartNew();
        await client.SendAsync("GET /call HTTP/1.1\r\nHost: x\r\nX-Drip: ");
        var answer = client.ReadToEndAsync();
        await DripAsync(client, answer, TimeSpan.FromSeconds(5));
        Assert.Matches("^(HTTP/1.1 408 |$)", await answer);
        return watch.Elapsed;
    }

    /// <summary>The pace is the attack; what is waited for is the answer.</summary>
    private static async Task DripAsync(RawHttpClient client, Task<string> answer, TimeSpan pace)
    {
        using var ticks = new PeriodicTimer(pace);
        while (await Task.WhenAny(answer, ticks.WaitForNextTickAsync().AsTask()) != answer)
        {
            try
            {
                await client.SendAsync("x");
            }
            catch (System.Net.Sockets.SocketException)
            {
                // Closed between the tick and the byte.
                break;
            }
        }

        await answer;
    }

    private static async Task<string> CallAsync(GatewayHost gateway)
    {
        using var response = await gateway.Client.PostAsync(new Uri("/call", UriKind.Relative), content: null);
        return await response.Content.ReadAsStringAsync();
    }
}
