using static Microsoft.Playwright.Assertions;

namespace Gateway.Tests.Page;

[Collection(PageTestGroup.Name)]
public sealed class KeyboardTests(Chromium browser, DemoGateway gateway) : IClassFixture<DemoGateway>
{
    /// <summary>What has the focus, by what a person would call it; with a mark where the focus cannot be seen.</summary>
    private const string Focused = """
        () => {
          const at = document.activeElement;
          const style = getComputedStyle(at);
          const isSeen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
          const name = at.getAttribute('aria-label') || at.labels?.[0]?.textContent.trim() || at.textContent.trim();
          return isSeen ? name : `${name} (unseen)`;
        }
        """;

    [Fact]
    public async Task Everything_is_reached_with_Tab_and_the_focus_is_seen()
    {
        await using var page = await browser.OpenAsync(gateway.Address);
        await page.SeeAsync("#stream tbody", "EURUSD");
        await page.SeeAsync("#devices", "running");
        var reached = new List<string>();
        for (var i = 0; i < 40; i++)
        {
            await page.Page.Keyboard.PressAsync("Tab");
            if (await page.Page.EvaluateAsync<bool>("document.activeElement === document.body")) break;
            reached.Add(await page.Page.EvaluateAsync<string>(Focused));
        }

        Assert.Equal(
            [
                "To the content", "Theme: auto", "API", "Health",
                "Stream route", "prefix", "Pause", "Messages", "text", "JSON", "hex", "Message body",
                "a", "b", "Send", "Reply", "The same call with curl", "Copy the curl command",
                "Pause", "Pause calls", "Watch calls", "pyzmq REP", "Copy: service", "service", "start", "Copy: start", "Copy: config", "config", "run", "Copy: run", "use", "Copy: use",
            ],
            reached);
    }

    [Fact]
    public async Task Rows_are_chosen_with_the_arrows_and_Escape_lets_go()
    {
        await using var page = await browser.OpenAsync(gateway.Address);
        await Expect(page["#stream tbody tr"]).ToHaveCountAsync(8);
        await page["#stream .rows"].FocusAsync();
        await page.Page.Keyboard.PressAsync("ArrowDown");
        await page.Page.Keyboard.PressAsync("ArrowDown");
        await Expect(page["#stream tr[aria-current]"]).ToContainTextAsync("BTCUSD");
        await page.SeeAsync("#stream .message .facts", "BTCUSD");
        await page.SeeAsync("#stream .message .facts", "Esc");
        await page.Page.Keyboard.PressAsync("Escape");
        await Expect(page["#stream tr[aria-current]"]).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Tabs_are_changed_with_the_arrows()
    {
        await using var page = await browser.OpenAsync(gateway.Address);
        await page["#guide [role=tab]"].First.FocusAsync();
        await page.Page.Keyboard.PressAsync("ArrowRight");
        await Expect(page["#guide [role=tab][aria-selected=true]"]).ToHaveTextAsync("pyzmq PUB");
        await Expect(page["#guide [role=tab]:focus"]).ToHaveTextAsync("pyzmq PUB");
        await page.SeeAsync("#guide", "quotes.py");
        await page.Page.Keyboard.PressAsync("End");
        await Expect(page["#guide [role=tab]:focus"]).ToHaveTextAsync("C++");
        await page.Page.Keyboard.PressAsync("ArrowRight");
        await Expect(page["#guide [role=tab]:focus"]).ToHaveTextAsync("pyzmq REP");
    }

    [Fact]
    public async Task The_skip_link_leads_to_the_content()
    {
        await using var page = await browser.OpenAsync(gateway.Address);
        await page.Page.Keyboard.PressAsync("Tab");
        await Expect(page[".skip"]).ToBeInViewportAsync();
        await page.Page.Keyboard.PressAsync("Enter");
        await page.Page.Keyboard.PressAsync("Tab");
        await Expect(page["#stream .pick"]).ToBeFocusedAsync();
    }
}
