using System.Diagnostics;

namespace Gateway.Tests.Samples;

/// <summary>Each program of samples/dotnet, run as it is.</summary>
public class DotnetSamplesTests
{
    [Theory]
    [InlineData("reqrep", "Hello Ada\nHello Grace\n")]
    [InlineData("pubsub", "weather.oslo: -3\nweather.rome: 14\n")]
    [InlineData("pushpull", "sum of squares: 91\n")]
    [InlineData("pair", "ping pong\n")]
    [InlineData("routerdealer", "answer to question 3\nanswer to question 2\nanswer to question 1\n")]
    [InlineData("array", "{\"dtype\":\"<f8\",\"shape\":[1000000]}: 1000000 numbers, the last is 499999.5\n")]
    public async Task A_sample_does_what_it_says(string name, string output)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "zmtp-samples.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, name]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var (said, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(("", 0, output), (await errors, process.ExitCode, await said));
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}
