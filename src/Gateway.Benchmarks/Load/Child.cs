using System.Diagnostics;
using System.Globalization;

namespace Gateway.Benchmarks.Load;

/// <summary>
/// A program that the runner started, spoken to in lines. Every program of <c>native/</c> ends when its stdin does, and others
/// run on its leash, so that nothing is left behind even when the runner is killed.
/// </summary>
internal sealed class Child : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly string _name;
    private Task _ignored = Task.CompletedTask;

    private Child(ProcessStartInfo start)
    {
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.UseShellExecute) = (true, true, false);
        _name = Path.GetFileName(start.FileName);
        _process = Process.Start(start)!;
        Id = _process.Id;
    }

    /// <summary>The process to look at in /proc: the program itself, not its leash.</summary>
    public int Id { get; private set; }

    /// <summary>Starts a program of <c>native/</c> and waits for its ready line.</summary>
    /// <returns>The program, and the ports that its ready line names.</returns>
    public static async Task<(Child Child, int[] Ports)> StartAsync(NativePrograms programs, string program, params string[] arguments)
    {
        var child = new Child(new ProcessStartInfo(programs.PathOf(program), arguments));
        return (child, await child.ReadyAsync());
    }

    /// <summary>Starts any other program, in a process group of its own that ends with this object.</summary>
    public static async Task<Child> StartOnLeashAsync(
        NativePrograms programs, IEnumerable<KeyValuePair<string, string>> environment, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(programs.PathOf("leash"), [program, .. arguments]);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var child = new Child(start);
        child.Id = int.Parse((await child.ReadLineAsync()).Split(' ')[1], CultureInfo.InvariantCulture);
        return child;
    }

    /// <summary>Waits for <c>ready</c> and the ports behind it.</summary>
    public async Task<int[]> ReadyAsync()
    {
        var words = (await ReadLineAsync()).Split(' ');
        if (words[0] != "ready") throw new LoadException($"{_name} said {string.Join(' ', words)} in place of ready.");
        return [.. words[1..].Select(word => int.Parse(word, CultureInfo.InvariantCulture))];
    }

    public Task TellAsync(string command) => _process.StandardInput.WriteLineAsync(command);

    public async Task<string> ReadLineAsync()
    {
        using var late = new CancellationTokenSource(Patience);
        try
        {
            return await _process.StandardOutput.ReadLineAsync(late.Token) ?? throw new LoadException($"{_name} ended early.");
        }
        catch (OperationCanceledException)
        {
            throw new LoadException($"{_name} said nothing for {Patience.TotalSeconds} s.");
        }
    }

    /// <summary>Reads a line of names and numbers.</summary>
    public async Task<IReadOnlyDictionary<string, double>> ReadFiguresAsync()
    {
        var words = (await ReadLineAsync()).Split(' ');
        return words.Chunk(2).ToDictionary(pair => pair[0], pair => double.Parse(pair[1], CultureInfo.InvariantCulture), StringComparer.Ordinal);
    }

    /// <summary>Reads and forgets what the program writes from here on, so that it never waits for us.</summary>
    public void IgnoreOutput() => _ignored = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await _process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _ignored;
        _process.Dispose();
    }
}
