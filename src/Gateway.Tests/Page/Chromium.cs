using Microsoft.Playwright;

namespace Gateway.Tests.Page;

/// <summary>One headless browser for all tests of the page; each opens a context of its own.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Program = "/usr/bin/chromium";

    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    public async Task InitializeAsync()
    {
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = Arguments, Headless = true });
    }

    public async Task DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    /// <summary>Opens a page and waits until it has asked the gateway for its health.</summary>
    internal async Task<OpenPage> OpenAsync(Uri address, Action<BrowserNewContextOptions>? configure = null, string? script = null)
    {
        var options = new BrowserNewContextOptions { ViewportSize = new() { Width = 1280, Height = 900 }, ColorScheme = ColorScheme.Light, Permissions = ["clipboard-read", "clipboard-write"] };
        configure?.Invoke(options);
        var context = await _browser.NewContextAsync(options);
        context.SetDefaultTimeout(10_000);
        if (script is not null) await context.AddInitScriptAsync(script);
        var page = new OpenPage(context, await context.NewPageAsync());
        await page.GoAsync(address);
        return page;
    }
}

/// <summary>Tests of the page run one after the other: they share the browser and two cores.</summary>
[CollectionDefinition(Name)]
public sealed class PageTestGroup : ICollectionFixture<Chromium>
{
    public const string Name = "page";
}
