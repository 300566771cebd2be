using Microsoft.AspNetCore.Mvc.Testing;

namespace Gateway.Tests.CommandLine;

public class ProgramTests
{
    [Fact]
    public async Task The_program_starts_without_any_configuration()
    {
        await using var factory = new WebApplicationFactory<Program>();
        using var client = factory.CreateClient();
        Assert.Equal("""{"status":"live"}""", await client.GetStringAsync(new Uri("/health/live", UriKind.Relative)));
    }
}
