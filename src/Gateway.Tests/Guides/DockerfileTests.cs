using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Guides;

public class DockerfileTests
{
    [Fact]
    public async Task The_image_builds_from_its_context_and_its_health_check_tells_a_running_gateway_from_none()
    {
        await using var build = new ContainerBuild();
        await build.RunAsync();
        Assert.NotEqual("root", build.User);
        Assert.Equal("8080", build.Variables["ASPNETCORE_HTTP_PORTS"]);

        var port = FreePort.Take(1)[0];
        var variables = new Dictionary<string, string>(StringComparer.Ordinal) { ["ASPNETCORE_HTTP_PORTS"] = $"{port}" };
        Assert.NotEqual(0, await HealthAsync(build, variables));
        await using var gateway = ShellCommand.Start($"exec {Quoted(build.EntryPoint)}", build.WorkingDirectory, variables);
        await gateway.ExpectAsync([$":{port}"], TimeSpan.FromSeconds(30));
        Assert.Equal(0, await HealthAsync(build, variables));
    }

    private static async Task<int> HealthAsync(ContainerBuild build, Dictionary<string, string> variables)
    {
        var command = $"{Quoted(build.HealthCheck)} 2>/dev/null; echo $?";
        var output = await ShellCommand.RunAsync(command, build.WorkingDirectory, variables, TimeSpan.FromSeconds(10));
        return int.Parse(output, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string Quoted(string[] words) =>
        string.Join(' ', words.Select(word => $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'"));
}
