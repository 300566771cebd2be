using System.Diagnostics;
using System.Text;

namespace Gateway.Tests.TestSupport;

/// <summary>A bash command with its output, ended together with all that it started.</summary>
internal sealed class ShellCommand : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Task _errors;
    private readonly StringBuilder _output = new();
    private readonly string _command;

    private ShellCommand(string command, string folder, IReadOnlyDictionary<string, string> environment)
    {
        _command = command;
        var start = new ProcessStartInfo("bash", ["-c", command])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        _process = Process.Start(start)!;
        // Nothing waits for input that nobody gives.
        _process.StandardInput.Close();
        _errors = ReadErrorsAsync();
    }

    public static ShellCommand Start(string command, string folder, IReadOnlyDictionary<string, string> environment) => new(command, folder, environment);

    /// <summary>Runs a command to its end, which has to be a good one.</summary>
    public static async Task<string> RunAsync(string command, string folder, IReadOnlyDictionary<string, string> environment, TimeSpan patience)
    {
        await using var shell = new ShellCommand(command, folder, environment);
        using var late = new CancellationTokenSource(patience);
        shell.Note(await shell._process.StandardOutput.ReadToEndAsync(late.Token));
        await shell._errors.WaitAsync(late.Token);
        await shell._process.WaitForExitAsync(late.Token);
        Assert.True(shell._process.ExitCode == 0, $"exit code {shell._process.ExitCode}: {shell}");
        return shell.Output;
    }

    private string Output
    {
        get
        {
            lock (_output) return _output.ToString();
        }
    }

    /// <summary>Waits until the texts have come on stdout, each in a line of its own and in this order.</summary>
    public async Task ExpectAsync(IEnumerable<string> texts, TimeSpan patience)
    {
        using var late = new CancellationTokenSource(patience);
        foreach (var text in texts)
        {
            string? line;
            do
            {
                try
                {
                    line = await _process.StandardOutput.ReadLineAsync(late.Token);
                }
                catch (OperationCanceledException)
                {
                    line = null;
                }

                Note($"{line}\n");
                Assert.True(line is not null, $"\"{text}\" is not in the output of {this}");
            }
            while (!line.Contains(text, StringComparison.Ordinal));
        }
    }

    public override string ToString() => $"{_command}\n{Output}";

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Note(string text)
    {
        lock (_output) _output.Append(text);
    }

    private async Task ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line) Note($"{line}\n");
    }
}
