using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Tests.TestSupport;
using static Microsoft.Playwright.Assertions;

namespace Gateway.Tests.Page;

/// <summary>The page in front of one's own services: what they send, and what it says when they are not there.</summary>
[Collection(PageTestGroup.Name)]
public sealed class ConfiguredPageTests(Chromium browser)
{
    [Fact]
    public async Task The_configured_routes_take_the_waveforms_place()
    {
        await using var gateway = await StreamHost.StartAsync("ContentType=text/plain");
        await using var page = await browser.OpenAsync(gateway.Gateway.BaseAddress);
        await page.SeeAsync("#routes tbody", "WS /s/{topic?}");
        await page.SeeAsync("#routes .facts", "1 route");
        await Expect(page["#waveform"]).ToBeHiddenAsync();
        await page.SeeAsync("#call .state", "no route takes requests");
        await Expect(page["#summary"]).Not.ToContainTextAsync("demo");
    }

    [Fact]
    public async Task What_comes_from_the_wire_is_text()
    {
        const string Hostile = "<img src=x onerror=alert(1)><b>bold</b>";
        await using var gateway = await StreamHost.StartAsync("ContentType=text/plain");
        await using var page = await browser.OpenAsync(gateway.Gateway.BaseAddress);
        await page.SeeAsync("#stream .state", "live");
        await gateway.Source.SendAsync(Encoding.UTF8.GetBytes(Hostile));
        await page.SeeAsync("#stream .message pre", Hostile);
        await page.SeeAsync("#stream .log .preview", Hostile);
        await gateway.Source.SendAsync(Encoding.UTF8.GetBytes($$"""{"symbol":"{{Hostile}}","price":1}"""));
        await page["#stream .views button"].GetByText("JSON").ClickAsync();
        await page.SeeAsync("#stream .message pre", $"\"symbol\": \"{Hostile}\"");
        Assert.Equal(0, await page["img, #stream b b, #stream pre b"].CountAsync());
        Assert.Empty(page.Errors);
    }

    [Fact]
    public async Task A_binary_message_is_shown_in_hexadecimal()
    {
        await using var gateway = await StreamHost.StartAsync();
        await using var page = await browser.OpenAsync(gateway.Gateway.BaseAddress);
        await page.SeeAsync("#stream .state", "live");
        await gateway.Source.SendAsync([0, 1, 0x41, 0xff]);
        await page.SeeAsync("#stream .message .facts", "4 bytes · binary frame");
        await page.SeeAsync("#stream .message pre", "0000  00 01 41 ff");
    }

    [Fact]
    public async Task Any_call_route_has_a_form_and_its_curl()
    {
        await using var gateway = await new FakeCaller(call => call.ReplyAsync($$"""{"got":"{{call.Texts.Last().Replace("\"", "'", StringComparison.Ordinal)}}"}""")).StartAsync("ContentType=application/json");
        await using var page = await browser.OpenAsync(gateway.BaseAddress);
        await page["#call input[name=':id']"].FillAsync("a b");
        await page["#call textarea"].FillAsync("it's {1}");
        await page.SeeAsync("#call .command pre", $"curl -d 'it'\\''s {{1}}' {gateway.BaseAddress}call/a%20b");
        await page["#call textarea"].PressAsync("Control+Enter");
        await page.SeeAsync("#call .reply", "\"got\": \"it's {1}\"");
        await page.SeeAsync("#call .state", "200 OK");
    }

    [Fact]
    public async Task A_backend_that_is_down_is_shown_with_the_reason()
    {
        var ports = FreePort.Take(2);
        await using var gateway = await GatewayHost.StartAsync(
            "Gateway:Backends:calculator:Socket=REQ", $"Gateway:Backends:calculator:Connect:0=tcp://127.0.0.1:{ports[0]}",
            "Gateway:Backends:quotes:Socket=SUB", $"Gateway:Backends:quotes:Connect:0=tcp://127.0.0.1:{ports[1]}",
            "Gateway:Routes:add:Path=/api/add", "Gateway:Routes:add:Backend=calculator", "Gateway:Routes:quotes:Path=/quotes/{topic?}", "Gateway:Routes:quotes:Backend=quotes");
        await using var page = await browser.OpenAsync(gateway.BaseAddress);
        await page.SeeAsync("#pill", "no backend is ready");
        await Expect(page["#pill"]).ToHaveAttributeAsync("data-state", "down");
        await Expect(page["#backends .why"]).ToHaveTextAsync([new Regex("refused"), new Regex("refused")]);
        await page.SeeAsync("#stream .state", $"127.0.0.1:{ports[1]}: connection refused");
        await page["#call .send"].ClickAsync();
        await page.SeeAsync("#call .state", "503");
        await page.SeeAsync("#call .reply", "backend-unavailable");
        await page.ShootAsync("backend-down");
        Assert.Empty(await page.Page.EvaluateAsync<string[]>(Contrast.Script));
    }

    [Fact]
    public async Task A_stopped_gateway_turns_the_pill_red_and_its_return_makes_it_live_again()
    {
        var url = $"urls=http://127.0.0.1:{FreePort.Take(1)[0]}";
        await using var gateway = await GatewayHost.StartAsync(url);
        await using var page = await browser.OpenAsync(gateway.BaseAddress);
        await page.SeeAsync("#stream .state", "live");
        await page.SeeAsync("#pill", "live");
        await gateway.StopAsync();
        await page.SeeAsync("#pill", "gateway stopped", withinMs: 2000);
        await Expect(page["#pill"]).ToHaveAttributeAsync("data-state", "down");
        await page.SeeAsync("#pill", "it cannot be reached; next try");
        await page.SeeAsync("#announce", "gateway stopped");
        await page.SeeAsync("#stream .state", "reconnecting");
        await page.SeeAsync("#backends", "unknown");
        await page.ShootAsync("stopped");
        await using var again = await GatewayHost.StartAsync(url);
        await page.SeeAsync("#pill", "live");
        await page.SeeAsync("#stream .state", "1 gap");
        await page.SeeAsync("#waveform .state", "live");
    }

    [Fact]
    public async Task A_gateway_that_does_not_answer_is_not_called_live()
    {
        await using var gateway = await StreamHost.StartAsync();
        await using var page = await browser.OpenAsync(gateway.Gateway.BaseAddress);
        await page.SeeAsync("#pill", "live");
        // Neither fulfilled nor aborted: the request hangs.
        await page.Page.RouteAsync("**/health/ready", static _ => Task.CompletedTask);
        await page.SeeAsync("#pill", "no answer");
        await page.SeeAsync("#pill", "it does not answer");
        await page.Page.UnrouteAsync("**/health/ready");
        await page.SeeAsync("#pill", "nothing arrives");
    }

    [Fact]
    public async Task Two_thousand_messages_a_second_leave_it_responsive()
    {
        const int Symbols = 50, Batches = 150, PerBatch = 40;
        await using var gateway = await StreamHost.StartAsync("ContentType=application/json");
        await using var page = await browser.OpenAsync(gateway.Gateway.BaseAddress, script: Counting);
        await page.SeeAsync("#stream .state", "live");
        var devtools = await page.Page.Context.NewCDPSessionAsync(page.Page);
        await devtools.SendAsync("Performance.enable");
        var (busy, frames) = (await BusyAsync(), await page.Page.EvaluateAsync<int>("frames"));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var began = TimeProvider.System.GetTimestamp();
        for (var batch = 0; batch < Batches && await timer.WaitForNextTickAsync(); batch++)
        {
            for (var i = 0; i < PerBatch; i++) await gateway.Source.SendAsync(Quote((batch * PerBatch) + i));
        }

        await page.UntilAsync($"() => messages >= {Batches * PerBatch}");
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        // The processor's time, not the clock's: other work of this machine does not count.
        Assert.InRange((await BusyAsync() - busy) / seconds, 0, 0.5);
        Assert.InRange((await page.Page.EvaluateAsync<int>("frames") - frames) / seconds, 10, 1000);
        Assert.InRange(await page.Page.EvaluateAsync<double>("strokes"), 1, Symbols * ((10 * seconds) + 10));
        await Expect(page["#stream tbody tr"]).ToHaveCountAsync(Symbols);
        Assert.Empty(page.Errors);

        async Task<double> BusyAsync()
        {
            var metrics = (await devtools.SendAsync("Performance.getMetrics"))!.Value.GetProperty("metrics").EnumerateArray();
            return metrics.Single(metric => metric.GetProperty("name").GetString() == "ThreadTime").GetProperty("value").GetDouble();
        }

        static byte[] Quote(int i) => Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"{{\"symbol\":\"S{i % Symbols:00}\",\"price\":{1 + (i * 7919 % 1000 / 1e4)},\"time\":{1.7e9 + (i * 0.0005)}}}"));
    }

    [Fact]
    public async Task A_table_keeps_at_most_200_rows()
    {
        await using var gateway = await StreamHost.StartAsync("ContentType=application/json");
        await using var page = await browser.OpenAsync(gateway.Gateway.BaseAddress);
        await page.SeeAsync("#stream .state", "live");
        for (var i = 0; i < 250; i++) await gateway.Source.SendAsync(Encoding.UTF8.GetBytes($$"""{"symbol":"S{{i:000}}","price":{{i}}}"""));
        await page.SeeAsync("#stream tbody", "S249");
        await Expect(page["#stream tbody tr"]).ToHaveCountAsync(200);
        await gateway.Source.SendAsync("no table"u8.ToArray());
        await page.SeeAsync("#stream .log", "no table");
        for (var i = 0; i < 250; i++) await gateway.Source.SendAsync(Encoding.UTF8.GetBytes($"line {i}"));
        await page.SeeAsync("#stream .log", "line 249");
        await Expect(page["#stream tbody tr"]).ToHaveCountAsync(100);
    }

    /// <summary>Counts what the page does: animation frames, lines drawn, messages received.</summary>
    private const string Counting = """
        window.frames = window.strokes = window.messages = 0;
        const count = () => { window.frames++; requestAnimationFrame(count); };
        requestAnimationFrame(count);
        const stroke = CanvasRenderingContext2D.prototype.stroke;
        CanvasRenderingContext2D.prototype.stroke = function () { window.strokes++; return stroke.call(this); };
        const Plain = window.WebSocket;
        window.WebSocket = class extends Plain {
          constructor(...rest) { super(...rest); this.addEventListener('message', () => { window.messages++; }); }
        };
        """;
}
