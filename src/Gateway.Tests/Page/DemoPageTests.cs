using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Gateway.Tests.Page;

[Collection(PageTestGroup.Name)]
public sealed class DemoPageTests(Chromium browser, DemoGateway gateway) : IClassFixture<DemoGateway>
{
    private const string FirstTime = "document.querySelector('#stream tbody tr .time')?.textContent";

    /// <summary>Numbers over all pixels of the waveform's canvas: the same only if the picture is.</summary>
    private const string Picture = """
        () => {
          const canvas = document.querySelector('#waveform canvas');
          const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          return pixels.reduce((hash, value, i) => value === 0 ? hash : (hash * 31 + value + i) % 1000000007, 7);
        }
        """;

    [Fact]
    public async Task Quotes_tick()
    {
        await using var page = await OpenAsync();
        await page.SeeAsync("#pill", "live");
        await page.SeeAsync("#stream .state", "live");
        await Expect(page["#stream tbody tr"]).ToHaveCountAsync(8);
        var before = await page.Page.EvaluateAsync<string>(FirstTime);
        await page.UntilAsync($"before => {FirstTime} !== before", before);
        await page.SeeAsync("#stream .message .facts", "bytes");
        await page.SeeAsync("#stream .message pre", "\"symbol\"");
        await page.SeeAsync("#stream .state", "msg/s");
    }

    [Fact]
    public async Task The_waveform_is_drawn_anew_with_every_frame()
    {
        await using var page = await OpenAsync();
        await page.SeeAsync("#waveform .facts", "float32[512]");
        for (var picture = 0; picture < 3; picture++)
        {
            var before = await page.Page.EvaluateAsync<long>(Picture);
            await page.UntilAsync($"before => ({Picture})() !== before", before);
        }

        // Paused, it stays as it is and nothing is sent any more.
        await page["#waveform .pause"].ClickAsync();
        await page.SeeAsync("#waveform .state", "paused");
    }

    [Fact]
    public async Task The_form_adds_and_says_how_long_it_took()
    {
        await using var page = await OpenAsync();
        await page["#call input[name=a]"].FillAsync("2");
        await page["#call input[name=b]"].FillAsync("40");
        await page["#call input[name=b]"].PressAsync("Enter");
        await page.SeeAsync("#call .reply", "\"sum\": 42");
        await Expect(page["#call .state"]).ToHaveTextAsync(new Regex("^200 OK\\s*\\d+(\\.\\d)? ms$"));
        await page["#call input[name=a]"].FillAsync("two");
        await page["#call .send"].ClickAsync();
        await page.SeeAsync("#call .reply", "send two numbers");
    }

    [Fact]
    public async Task A_prefix_changes_the_subscription()
    {
        await using var page = await OpenAsync();
        await Expect(page["#stream tbody tr"]).ToHaveCountAsync(8);
        await page["#stream .prefix input"].FillAsync("EURU");
        await page.SeeAsync("#stream .where", "WS /quotes?topic=EURU");
        await page.SeeAsync("#stream tbody", "EURUSD");
        await Expect(page["#stream tbody tr"]).ToHaveCountAsync(1);
        Assert.Contains(page.Sockets, static url => url.EndsWith("/quotes?topic=EURU", StringComparison.Ordinal));
        await page["#stream .prefix input"].FillAsync("ZZZ");
        await page.SeeAsync("#stream .state", "nothing arrives");
        await page.SeeAsync("#stream .state", "backend quotes: messages arrive, but none has begun with \"ZZZ\"");
        await page["#stream .prefix input"].PressAsync("Escape");
        await Expect(page["#stream tbody tr"]).ToHaveCountAsync(8);
    }

    [Fact]
    public async Task Another_stream_can_be_picked_and_paused()
    {
        await using var page = await OpenAsync();
        await page["#stream .pick"].SelectOptionAsync("waveform");
        await page.SeeAsync("#stream .message .facts", "2,048 bytes");
        await page.SeeAsync("#stream .message pre", "0000  ");
        await page["#stream .pick"].SelectOptionAsync("clock");
        await page.SeeAsync("#stream .log", "\"time\"");
        await page["#stream .pause"].ClickAsync();
        await page.SeeAsync("#stream .state", "paused");
        await page["#stream .pause"].ClickAsync();
        await page.SeeAsync("#stream .state", "live");
    }

    [Fact]
    public async Task A_look_at_it_costs_less_than_60_KiB_of_this_host_alone_and_no_error()
    {
        await using var page = await OpenAsync();
        await page.SeeAsync("#pill", "live");
        await page["#call .send"].ClickAsync();
        await page.SeeAsync("#call .reply", "42");
        Assert.Empty(page.Errors);
        Assert.All(page.Requests, request => Assert.Equal(gateway.Address.Authority, new Uri(request.Url).Authority));
        Assert.All(page.Sockets, url => Assert.Equal(gateway.Address.Authority, new Uri(url).Authority));
        var sizes = await Task.WhenAll(page.Requests.Where(request => !request.Url.Contains("/health/", StringComparison.Ordinal) && !request.Url.EndsWith("/gateway/devices", StringComparison.Ordinal)).Select(request => request.SizesAsync()));
        Assert.InRange(sizes.Sum(size => size.ResponseBodySize + size.ResponseHeadersSize), 10_000, 60 * 1024);
    }

    [Fact]
    public async Task A_device_is_watched_and_paused()
    {
        await using var page = await OpenAsync();
        await page.SeeAsync("#devices", "running");
        await page["#devices .watch"].ClickAsync();
        // Until the tap is open, calls pass unseen.
        while (await page["#devices tbody tr"].CountAsync() == 0)
        {
            await page["#call .send"].ClickAsync();
            await page.SeeAsync("#call .reply", "42");
        }

        await Expect(page["#devices tbody"]).ToContainTextAsync("\"sum\":42");
        await page.ShootAsync("devices");
        await page["#devices .pause"].ClickAsync();
        await page.SeeAsync("#devices .word", "paused");
        await Expect(page["#devices .pause"]).ToHaveTextAsync("Resume");
        await page["#devices .pause"].ClickAsync();
        await page.SeeAsync("#devices .word", "running");
        await page["#devices .watch"].ClickAsync();
        await Expect(page["#devices .rows"]).ToBeHiddenAsync();
        Assert.Empty(page.Errors);
    }

    [Fact]
    public async Task Its_links_lead_somewhere()
    {
        await using var page = await OpenAsync();
        var statuses = await page.Page.EvaluateAsync<int[]>("() => Promise.all([...document.querySelectorAll('a[href]')].map(async a => (await fetch(a.href)).status))");
        Assert.Equal([200, 200, 200], statuses);
    }

    [Fact]
    public async Task Stillness_is_kept_for_who_asks_for_it()
    {
        await using var page = await OpenAsync(options => options.ReducedMotion = ReducedMotion.Reduce);
        await Expect(page["#stream td.spark span"].First).ToHaveTextAsync(new Regex(@"^[\d.]+–[\d.]+$"));
        await Expect(page["#stream td.spark canvas"].First).ToBeHiddenAsync();
    }

    [Fact]
    public async Task A_chosen_theme_stays()
    {
        await using var page = await OpenAsync();
        await page["#theme"].ClickAsync();
        await page["#theme"].ClickAsync();
        await page.Page.ReloadAsync();
        await Expect(page["#theme"]).ToHaveTextAsync("Theme: dark");
        Assert.Equal("rgb(15, 20, 23)", await page.Page.EvaluateAsync<string>("getComputedStyle(document.documentElement).backgroundColor"));
    }

    [Theory]
    [InlineData("light", 1280, ColorScheme.Light)]
    [InlineData("dark", 1600, ColorScheme.Dark)]
    [InlineData("360px", 360, ColorScheme.Light)]
    [InlineData("360px-dark", 360, ColorScheme.Dark)]
    [InlineData("768px", 768, ColorScheme.Light)]
    public async Task It_fits_and_can_be_read(string name, int width, ColorScheme scheme)
    {
        await using var page = await OpenAsync(options => (options.ViewportSize, options.ColorScheme) = (new() { Width = width, Height = 900 }, scheme));
        await page["#call .send"].ClickAsync();
        await page.SeeAsync("#call .reply", "42");
        await page.SeeAsync("#waveform .facts", "float32");
        await page.SeeAsync("#waveform .state", "frames/s");
        // A picture of how it looks when it runs, not of its first second.
        await Expect(page["#backends .pace"].Last).ToHaveTextAsync(new Regex("[1-9]\\d msg/s"));
        await page.ShootAsync(name);
        Assert.Equal(width, await page.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.Empty(await page.Page.EvaluateAsync<string[]>(Contrast.Script));
    }

    private Task<OpenPage> OpenAsync(Action<BrowserNewContextOptions>? configure = null) => browser.OpenAsync(gateway.Address, configure);
}
