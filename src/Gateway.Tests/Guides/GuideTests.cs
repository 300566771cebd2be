namespace Gateway.Tests.Guides;

public class GuideTests
{
    [Fact]
    public async Task The_readme_works_as_printed()
    {
        await using var walkthrough = new Walkthrough();
        Assert.Equal(2, await walkthrough.RunAsync("README.md"));
    }

    [Fact]
    public async Task The_devices_guide_works_as_printed()
    {
        await using var walkthrough = new Walkthrough();
        Assert.Equal(3, await walkthrough.RunAsync("docs/devices.md"));
    }

    [Fact]
    public async Task The_quick_start_works_as_printed()
    {
        await using var walkthrough = new Walkthrough();
        Assert.Equal(10, await walkthrough.RunAsync("docs/quick-start.md"));
    }

    [Fact]
    public async Task The_security_guide_works_as_printed()
    {
        await using var walkthrough = new Walkthrough();
        Assert.Equal(10, await walkthrough.RunAsync("docs/security.md"));
    }
}
