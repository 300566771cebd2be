using System.Diagnostics;
using System.Globalization;
using Gateway.Tests.TestSupport;
using Zmtp.Sockets;

namespace Gateway.Tests.CommandLine;

public class SignalTests
{
    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    public async Task A_second_signal_ends_the_process_at_once(string signal, int exitCode)
    {
        await using var service = new RepSocket();
        using var directory = new TemporaryDirectory();
        string[] arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "Gateway.dll"), "--urls=http://127.0.0.1:0", "--Gateway:Backends:b:Socket=REQ",
            $"--Gateway:Backends:b:Connect={service.Bind("tcp://127.0.0.1:*")}", "--Gateway:Backends:b:Timeout=00:10:00",
                "--Gateway:Backends:b:ConnectWait=00:00:30",
            "--Gateway:Limits:DrainTimeout=00:05:00", "--Gateway:Routes:r:Path=/r", "--Gateway:Routes:r:Backend=b",
        ];
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, UseShellExecute = false,
            WorkingDirectory = directory.Path })!;
        try
        {
            var address = (await LineAsync(process, "Now listening on: ")).Split("Now listening on: ")[1];
            using var client = new HttpClient();
            // A call that is not answered keeps the shutdown waiting.
            var call = client.PostAsync(new Uri($"{address}/r"), content: null);
            using (await service.ReceiveAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60))) await KillAsync(process, signal);
            await LineAsync(process, "Stopping: ");
            Assert.False(process.HasExited);
            await KillAsync(process, signal);
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(exitCode, process.ExitCode);
            await Assert.ThrowsAsync<HttpRequestException>(() => call);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    private static async Task<string> LineAsync(Process process, string text)
    {
        while (true)
        {
            var line = await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.NotNull(line);
            if (line.Contains(text, StringComparison.Ordinal)) return line;
        }
    }

    private static async Task KillAsync(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
    }
}
