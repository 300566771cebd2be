using Gateway.CommandLine;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.Configuration;
using static Microsoft.Playwright.Assertions;

namespace Gateway.Tests.Page;

/// <summary>"Put your own services behind it" is done here as it says.</summary>
[Collection(PageTestGroup.Name)]
public sealed class ExamplesTests(Chromium browser, DemoGateway gateway) : IClassFixture<DemoGateway>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    // The system's Python, which has pyzmq, whatever else is installed.
    private static readonly Dictionary<string, string> Environment = new(StringComparer.Ordinal) { ["PATH"] = "/usr/bin:/bin" };

    [Theory]
    [InlineData("pyzmq REP", "calculator.py", "5555", "calculator", "{\"sum\": 42}")]
    [InlineData("C++", "echo.cpp", "5557", "echo", "hello")]
    public async Task A_service_of_the_page_answers_the_curl_of_the_page(string tab, string file, string port, string backend, string answer)
    {
        var example = await ReadAsync(tab, file, port);
        await using var service = ShellCommand.Start(example.Start, example.Folder.Path, Environment);
        await using var own = await GatewayHost.StartAsync([.. example.Settings, $"Gateway:Backends:{backend}:Options:ReconnectMax=00:00:00.5"]);
        await using var page = await browser.OpenAsync(own.BaseAddress);
        await Expect(page["#backends [data-state=ok]"]).ToBeVisibleAsync(new() { Timeout = 30_000 });
        var use = example.Use.Replace(gateway.Address.Authority, own.BaseAddress.Authority, StringComparison.Ordinal);
        Assert.Equal(answer, (await ShellCommand.RunAsync($"{use} --silent --show-error", example.Folder.Path, Environment, Patience)).Trim());
        example.Folder.Dispose();
    }

    [Fact]
    public async Task A_publisher_of_the_page_is_heard_with_the_line_for_the_console()
    {
        var example = await ReadAsync("pyzmq PUB", "quotes.py", "5556");
        await using var service = ShellCommand.Start(example.Start, example.Folder.Path, Environment);
        await using var own = await GatewayHost.StartAsync(example.Settings);
        await using var page = await browser.OpenAsync(own.BaseAddress);
        await page.SeeAsync("#stream tbody", "EURUSD", withinMs: 30_000);
        var use = example.Use.Replace(gateway.Address.Authority, own.BaseAddress.Authority, StringComparison.Ordinal);
        var said = page.Page.WaitForConsoleMessageAsync(new() { Predicate = message => message.Text.StartsWith("{\"symbol\": \"EURUSD\"", StringComparison.Ordinal) });
        await page.Page.EvaluateAsync($"() => {{ {use} }}");
        await said;
        await Expect(page["#backends .pace"]).Not.ToHaveTextAsync("0 msg/s");
        await page.ShootAsync("configured");
        example.Folder.Dispose();
    }

    [Fact]
    public async Task What_is_copied_is_what_is_shown()
    {
        await using var page = await browser.OpenAsync(gateway.Address);
        foreach (var (button, text) in new[] { ("Copy: service", ".service"), ("Copy: config", ".config"), ("Copy: use", ".use") })
        {
            await page.Page.GetByLabel(button).ClickAsync();
            await page.UntilAsync("async text => await navigator.clipboard.readText() === text", await page[$"#guide {text}"].TextContentAsync());
        }

        await page.Page.GetByLabel("Copy the curl command").ClickAsync();
        await page.UntilAsync("async text => await navigator.clipboard.readText() === text", $"curl -d '{{\"a\":2,\"b\":40}}' {gateway.Address}api/add");
        await page.SeeAsync("#announce", "Copied");
    }

    /// <summary>Reads an example off the page, puts its files into a folder, on a port that is free here, and checks the configuration.</summary>
    private async Task<Example> ReadAsync(string tab, string file, string port)
    {
        await using var page = await browser.OpenAsync(gateway.Address);
        await page["#guide [role=tab]"].GetByText(tab).ClickAsync();
        await page.SeeAsync("#guide", file);
        var free = FreePort.Take(1)[0];
        var folder = new TemporaryDirectory();
        await File.WriteAllTextAsync(folder.File(file), await TextAsync(".service"));
        await File.WriteAllTextAsync(folder.File("gateway.json"), await TextAsync(".config"));
        using var errors = new StringWriter();
        Assert.True(await GatewayCommand.RunAsync(["check", folder.File("gateway.json")], TextWriter.Null, errors) == 0, errors.ToString());
        var settings = new ConfigurationBuilder().AddJsonFile(folder.File("gateway.json")).Build().AsEnumerable()
            .Where(static setting => setting.Value is not null).Select(static setting => $"{setting.Key}={setting.Value}");
        return new Example(folder, await TextAsync(".start"), [.. settings], await TextAsync(".use"));

        async Task<string> TextAsync(string part) => (await page[$"#guide {part}"].TextContentAsync())!.Replace($":{port}\"", $":{free}\"", StringComparison.Ordinal);
    }

    private sealed record Example(TemporaryDirectory Folder, string Start, string[] Settings, string Use);
}
