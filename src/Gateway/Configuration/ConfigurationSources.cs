using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.FileProviders.Physical;
using Microsoft.Extensions.Primitives;

namespace Gateway.Configuration;

/// <summary>
/// Where the configuration comes from; later ones win: <c>appsettings.json</c>, <c>appsettings.Production.json</c> (or of another environment), <c>gateway.json</c>, <c>gateway.yaml</c> of the directory
/// (or the files named instead of these two), environment variables, command line.
/// </summary>
/// <param name="directory">Where the files with fixed names lie.</param>
/// <param name="files">Files named by <c>--config</c>; empty for none.</param>
/// <param name="settings"><c>key=value</c> pairs of the command line.</param>
internal sealed class ConfigurationSources(string directory, IReadOnlyList<string> files, IReadOnlyList<string> settings) : IDisposable
{
    private static readonly string[] UsualNames = ["gateway.json", "gateway.yaml", "gateway.yml"];
    private readonly List<PhysicalFileProvider> _watched = [];

    /// <summary>Directory of the files with fixed names.</summary>
    public string Directory { get; } = Path.GetFullPath(directory);

    /// <summary>The command line's settings.</summary>
    public IReadOnlyList<string> Settings => settings;

    /// <summary>Files that exist now, in the order of reading.</summary>
    public IReadOnlyList<string> Present => [.. Candidates().Where(File.Exists)];

    /// <summary>Reads everything anew.</summary>
    /// <exception cref="ConfigurationException">A file that was named is missing, or one cannot be read; the text names it.</exception>
    public IConfigurationRoot Load()
    {
        var missing = files.Where(file => !File.Exists(Path.Combine(Directory, file))).ToArray();
        if (missing.Length > 0) throw new ConfigurationException([.. missing.Select(file => $"The file {file} does not exist (named by --config).")]);
        var builder = new ConfigurationBuilder();
        foreach (var file in Present) AddFile(builder, file);
        return builder
            .AddEnvironmentVariables()
            .AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])))
            .Build();
    }

    /// <summary>Reads one file and nothing else.</summary>
    /// <exception cref="ConfigurationException">It is missing or cannot be read.</exception>
    public static IConfigurationRoot LoadFile(string file)
    {
        if (!File.Exists(file)) throw new ConfigurationException($"The file {file} does not exist.");
        var builder = new ConfigurationBuilder();
        AddFile(builder, Path.GetFullPath(file), file);
        return builder.Build();
    }

    /// <summary>A token that fires when one of the files changes, appears or goes.</summary>
    public IChangeToken Watch()
    {
        if (_watched.Count == 0)
        {
            _watched.AddRange(Candidates().Select(file => Path.GetDirectoryName(file)!).Where(System.IO.Directory.Exists).Distinct(StringComparer.Ordinal)
                .Select(folder => new PhysicalFileProvider(folder, ExclusionFilters.None)));
        }

        var tokens =
            from file in Candidates()
            let provider = _watched.FirstOrDefault(provider => provider.Root.TrimEnd('/') == Path.GetDirectoryName(file)!.TrimEnd('/'))
            where provider is not null
            select provider.Watch(Path.GetFileName(file));
        return new CompositeChangeToken([.. tokens]);
    }

    /// <summary>Stops watching.</summary>
    public void Dispose() => _watched.ForEach(provider => provider.Dispose());

    /// <summary>As the framework finds it, for it reads the file of that name too.</summary>
    private string EnvironmentName =>
        settings.LastOrDefault(setting => setting.StartsWith("environment=", StringComparison.OrdinalIgnoreCase))?.Split('=', 2)[1]
        ?? Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? "Production";

    private IEnumerable<string> Candidates() =>
        files.DefaultIfEmpty().SelectMany(file => file is null ? UsualNames : [file]).Prepend($"appsettings.{EnvironmentName}.json").Prepend("appsettings.json").Select(file => Path.GetFullPath(Path.Combine(Directory, file)));

    /// <summary>Parsed at once, one file at a time, so that what is wrong can be said with the file's name and in one line.</summary>
    private static void AddFile(ConfigurationBuilder builder, string file, string? shown = null)
    {
        var isYaml = Path.GetExtension(file).ToUpperInvariant() is ".YAML" or ".YML";
        try
        {
            using var text = File.OpenText(file);
            if (isYaml) builder.AddInMemoryCollection(YamlFile.Parse(text));
            else builder.AddConfiguration(new ConfigurationBuilder().AddJsonStream(text.BaseStream).Build());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or InvalidDataException or System.Text.Json.JsonException
            or YamlDotNet.Core.YamlException)
        {
            throw new ConfigurationException($"The file {shown ?? file} cannot be read: {Reason(e.GetBaseException())}");
        }
    }

    /// <remarks>
    /// Parsers quote what they stumble over, and that may be a password that somebody wrote without quotes; one character may be shown.
    /// </remarks>
    private static string Reason(Exception exception)
    {
        var text = exception.Message.ReplaceLineEndings(" ");
        return exception switch
        {
            // The framework counts JSON's lines from 0.
            System.Text.Json.JsonException { LineNumber: { } line } => $"line {line + 1}: {WithoutLiteral(text.Split(" LineNumber:")[0])}",
            YamlDotNet.Core.AnchorNotFoundException yaml =>
                $"line {yaml.Start.Line}: an alias names no anchor; a text that begins with * needs quotes",
            YamlDotNet.Core.YamlException yaml when text.StartsWith("Duplicate key", StringComparison.Ordinal) =>
                $"line {yaml.Start.Line}: a key stands twice",
            YamlDotNet.Core.YamlException yaml => $"line {yaml.Start.Line}: {text}",
            _ => text,
        };
    }

    // "'trump1' is an invalid JSON literal. Expected the literal 'true'."
    private static string WithoutLiteral(string text) =>
        text.IndexOf("' is an invalid", StringComparison.Ordinal) is > 2 and var end && text[0] == '\''
            ? $"what stands here{text[(end + 1)..]}" : text;
}
