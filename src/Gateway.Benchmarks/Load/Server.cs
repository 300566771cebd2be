using System.Reflection;

namespace Gateway.Benchmarks.Load;

/// <summary>A web server under load: the process to look at and the port to use.</summary>
internal sealed record Server(Child Child, int Port) : IAsyncDisposable
{
    public int Id => Child.Id;

    public ValueTask DisposeAsync() => Child.DisposeAsync();

    /// <summary>Starts Gateway as users do: its own process, a configuration file, everything at its defaults.</summary>
    /// <param name="configuration">The content of the section <c>Gateway</c>, as JSON.</param>
    public static async Task<Server> StartGatewayAsync(NativePrograms programs, LoadOptions options, string configuration)
    {
        var file = Path.Combine(programs.Folder, $"gateway-{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(file, $$"""{ "Gateway": {{configuration}} }""");
        var child = await Child.StartOnLeashAsync(
            programs, options.Environment, DotNet, BuiltDll("Gateway"), "--config", file, "--urls", "http://127.0.0.1:0");
        // "... Now listening on: http://127.0.0.1:40123"
        const string Listening = "Now listening on: http://127.0.0.1:";
        string line;
        do line = await child.ReadLineAsync();
        while (!line.Contains(Listening, StringComparison.Ordinal));
        var digits = line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..].TakeWhile(char.IsAsciiDigit);
        child.IgnoreOutput();
        return new Server(child, int.Parse([.. digits], System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Starts the baseline: Kestrel alone, under Gateway's runtime settings.</summary>
    /// <param name="sourcePort">The plain TCP port of <c>native/large</c>.</param>
    public static async Task<Server> StartKestrelAsync(NativePrograms programs, LoadOptions options, int sourcePort = 0)
    {
        var settings = Path.ChangeExtension(BuiltDll("Gateway"), ".runtimeconfig.json");
        var child = await Child.StartOnLeashAsync(
            programs, options.Environment, DotNet, "exec", "--runtimeconfig", settings, BuiltDll("Gateway.Benchmarks"), "kestrel", $"{sourcePort}");
        return new Server(child, (await child.ReadyAsync())[0]);
    }

    private static string DotNet => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";

    private static string BuiltDll(string assembly) => Path.Combine(Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!, $"{assembly}.dll");
}
