using System.Collections.Concurrent;
using Gateway.Tests.TestSupport;
using Microsoft.Playwright;

namespace Gateway.Tests.Page;

/// <summary>The page in a browser of its own, with what it said and asked for.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;

    public OpenPage(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") Errors.Enqueue(message.Text);
        };
        page.PageError += (_, error) => Errors.Enqueue(error);
        page.Request += (_, request) => Requests.Enqueue(request);
        page.WebSocket += (_, socket) => Sockets.Enqueue(socket.Url);
    }

    public IPage Page { get; }

    /// <summary>Errors and warnings of the console, and what scripts threw.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    public ConcurrentQueue<IRequest> Requests { get; } = new();

    /// <summary>Addresses of WebSockets, in the order in which they were opened.</summary>
    public ConcurrentQueue<string> Sockets { get; } = new();

    /// <summary>Where a screenshot goes: the test output that git ignores.</summary>
    public static string PathOfShot(string name) => SourceTree.PathOf($"artifacts/page/{name}.png");

    public ILocator this[string selector] => Page.Locator(selector);

    public async Task GoAsync(Uri address)
    {
        await Page.GotoAsync(address.ToString());
        await Assertions.Expect(this["#summary"]).ToContainTextAsync("ready");
    }

    /// <summary>Waits until a part of the page has this text, which may stand anywhere in it.</summary>
    public Task SeeAsync(string selector, string text, int withinMs = 10_000) =>
        Assertions.Expect(this[selector]).ToContainTextAsync(text, new() { Timeout = withinMs, UseInnerText = true });

    /// <summary>Waits until an expression is true in the page.</summary>
    public Task UntilAsync(string expression, object? argument = null, int withinMs = 10_000) =>
        Page.WaitForFunctionAsync(expression, argument, new() { Timeout = withinMs });

    public Task ShootAsync(string name) => Page.ScreenshotAsync(new() { Path = PathOfShot(name), FullPage = true });

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
