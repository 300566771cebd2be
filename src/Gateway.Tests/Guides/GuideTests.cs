namespace Gateway.Tests.Guides;

public class GuideTests
{
    [Fact]
    public async Task The_readme_works_as_printed()
    {
        await using var walkthrough = new Walkthrough();
        Assert.Equal(2, await walkthrough.RunAsync("README.md"));
    }
}
