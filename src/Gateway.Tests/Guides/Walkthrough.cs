using System.Text.RegularExpressions;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Guides;

/// <summary>
/// Does what a document says, in its order: every sh or js block that is followed by a block of expected output. A command
/// that goes on after its output stays in the background. Only two things are not as printed: ports are free ones, and
/// <c>dotnet run</c> uses what is built.
/// </summary>
internal sealed partial class Walkthrough : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-guide-");
    private readonly List<ShellCommand> _commands = [];
    private readonly Dictionary<string, string> _ports = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _environment;

    public Walkthrough()
    {
        string[] printed = ["8080", "5555", "5556", "5557", "5558"];
        foreach (var (port, free) in printed.Zip(FreePort.Take(printed.Length))) _ports[port] = $"{free}";
        _environment = new(StringComparer.Ordinal)
        {
            // Debian's python3 has python3-zmq; another one in front of it may not.
            ["PATH"] = $"/usr/bin:{Environment.GetEnvironmentVariable("PATH")}",
            ["PYTHONDONTWRITEBYTECODE"] = "1",
            ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{_ports["8080"]}",
            ["NODE_PATH"] = SourceTree.PathOf("src/Gateway.Tests/Peers/node_modules"),
        };
        foreach (var file in Directory.EnumerateFiles(SourceTree.PathOf("samples"), "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(_folder.FullName, Path.GetRelativePath(SourceTree.Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.WriteAllText(copy, WithFreePorts(File.ReadAllText(file)));
        }
    }

    /// <summary>Goes through a document.</summary>
    /// <returns>How many blocks were run.</returns>
    public async Task<int> RunAsync(string document)
    {
        var blocks = Block().Matches(await File.ReadAllTextAsync(SourceTree.PathOf(document)));
        var steps = blocks.Zip(blocks.Skip(1)).Where(pair => IsCommand(pair.First) && !IsCommand(pair.Second)).ToArray();
        foreach (var (command, expected) in steps)
        {
            var shell = ShellCommand.Start(Shell(command), _folder.FullName, _environment);
            _commands.Add(shell);
            await shell.ExpectAsync(WithFreePorts(expected.Groups["text"].Value).TrimEnd().Split('\n'), Patience);
        }

        return steps.Length;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var command in _commands) await command.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static bool IsCommand(Match block) => block.Groups["language"].Value is "sh" or "js";

    private string Shell(Match block)
    {
        var text = WithFreePorts(block.Groups["text"].Value);
        if (block.Groups["language"].Value == "js")
        {
            // What a browser has and an older Node.js has not.
            return $"node -e \"$(cat <<'JS'\nglobalThis.WebSocket ??= require('ws')\n{text}\nJS\n)\"";
        }

        var configuration = AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug";
        return text.Replace(
            "dotnet run -c Release --project src/Gateway",
            $"dotnet run --no-build -c {configuration} --project '{SourceTree.PathOf("src/Gateway")}'",
            StringComparison.Ordinal);
    }

    private string WithFreePorts(string text) => Port().Replace(text, match => $":{_ports.GetValueOrDefault(match.Value[1..], match.Value[1..])}");

    [GeneratedRegex(@"^```(?<language>\w+)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Block();

    [GeneratedRegex(@":\d{4}\b", RegexOptions.None, 1000)]
    private static partial Regex Port();
}
