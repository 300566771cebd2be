using System.Text.RegularExpressions;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Guides;

/// <summary>
/// Exercises a Dockerfile's steps as they stand, without a container engine: each stage is a folder, COPY copies what
/// .dockerignore lets through, RUN runs in the stage's working directory.
/// </summary>
internal sealed partial class ContainerBuild : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-image-");
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal)
    {
        // Build servers that outlive the test would hold the folder.
        ["MSBUILDDISABLENODEREUSE"] = "1",
        ["UseSharedCompilation"] = "false",
    };

    private string _stage = "";
    private string _directory = "/";

    /// <summary>Variables of ENV instructions.</summary>
    public Dictionary<string, string> Variables { get; } = new(StringComparer.Ordinal);

    /// <summary>The last stage's USER.</summary>
    public string User { get; private set; } = "root";

    /// <summary>Words of the last ENTRYPOINT.</summary>
    public string[] EntryPoint { get; private set; } = [];

    /// <summary>Words of HEALTHCHECK's CMD.</summary>
    public string[] HealthCheck { get; private set; } = [];

    /// <summary>The last stage's working directory, as a folder here.</summary>
    public string WorkingDirectory => Inside(_stage, _directory);

    /// <summary>Runs the whole file.</summary>
    public async Task RunAsync()
    {
        foreach (Match instruction in Instruction().Matches(Joined(await File.ReadAllTextAsync(SourceTree.PathOf("Dockerfile")))))
        {
            await RunAsync(instruction.Groups["name"].Value, instruction.Groups["rest"].Value);
        }
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task RunAsync(string name, string rest)
    {
        switch (name)
        {
            case "FROM":
                (_stage, _directory, User) = (rest.Split(" AS ") is [_, var alias] ? alias : "final", "/", "root");
                break;
            case "WORKDIR":
                _directory = rest;
                Directory.CreateDirectory(WorkingDirectory);
                break;
            case "COPY":
                Copy(rest.Split(' '));
                break;
            case "RUN":
                await ShellCommand.RunAsync(rest, WorkingDirectory, _environment, TimeSpan.FromMinutes(5));
                break;
            case "ENV":
                Variables[rest.Split('=')[0]] = rest.Split('=')[1];
                break;
            case "USER":
                User = rest;
                break;
            case "HEALTHCHECK":
                HealthCheck = Words(rest[rest.IndexOf('[', StringComparison.Ordinal)..]);
                break;
            case "ENTRYPOINT":
                EntryPoint = Words(rest);
                break;
            default:
                Assert.Equal("EXPOSE", name);
                break;
        }
    }

    private void Copy(string[] words)
    {
        const string From = "--from=";
        var stage = words[0].StartsWith(From, StringComparison.Ordinal) ? words[0][From.Length..] : null;
        var sources = words[(stage is null ? 0 : 1)..^1];
        var target = Inside(_stage, Path.Combine(_directory, words[^1]));
        foreach (var source in sources)
        {
            var path = stage is null ? SourceTree.PathOf(source) : Inside(stage, source);
            if (Directory.Exists(path)) CopyFolder(path, target, stage is null);
            else CopyFile(path, Path.Combine(target, Path.GetFileName(path)));
        }
    }

    private static void CopyFolder(string from, string to, bool isContext)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            if (isContext && IsIgnored(Path.GetRelativePath(SourceTree.Root, file))) continue;
            CopyFile(file, Path.Combine(to, Path.GetRelativePath(from, file)));
        }
    }

    private static void CopyFile(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Copy(from, to, overwrite: true);
    }

    // The two forms that .dockerignore has here: a path from the root, and a name at any depth.
    private static bool IsIgnored(string path) => File.ReadLines(SourceTree.PathOf(".dockerignore")).Any(pattern =>
        pattern.StartsWith("**/", StringComparison.Ordinal)
            ? path.Split('/').Contains(pattern[3..], StringComparer.Ordinal)
            : path == pattern || path.StartsWith($"{pattern}/", StringComparison.Ordinal));

    private string Inside(string stage, string path) => Path.Combine(_folder.FullName, stage, path.TrimStart('/'));

    private static string[] Words(string json) => System.Text.Json.JsonSerializer.Deserialize<string[]>(json)!;

    private static string Joined(string text) => text.Replace("\\\n", " ", StringComparison.Ordinal);

    [GeneratedRegex(@"^(?<name>[A-Z]+) +(?<rest>.*)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Instruction();
}
