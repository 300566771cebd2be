using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Gateway.Tests.TestSupport;

/// <summary>A socket of Debian's libzmq in a process of its own, which does what a test says step by step. Frames are Latin-1 texts.</summary>
internal sealed class LibzmqSocket : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Task _readingErrors;
    private bool _isDisposed;

    private LibzmqSocket(string type)
    {
        _process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["socket_driver.py", type])
        {
            WorkingDirectory = SourceTree.PathOf("src/Gateway.Tests/Peers"),
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _readingErrors = Task.Run(async () =>
        {
            while (await _process.StandardError.ReadLineAsync() is { } line) _errors.Enqueue(line);
        });
    }

    /// <summary>Starts one of a type, such as <c>ROUTER</c>.</summary>
    public static async Task<LibzmqSocket> StartAsync(string type)
    {
        var socket = new LibzmqSocket(type);
        await socket.ResultAsync();
        return socket;
    }

    public Task SetAsync(string option, int value) => DoAsync("set", option, value);

    public Task SetAsync(string option, string value) => DoAsync("set", option, Hex(value));

    /// <summary>Binds any port of the loopback address, or what is given.</summary>
    public async Task<string> BindAsync(string endpoint = "tcp://127.0.0.1:*") => (await DoAsync("bind", endpoint)).GetString()!;

    public Task ConnectAsync(string endpoint) => DoAsync("connect", endpoint);

    public Task DisconnectAsync(string endpoint) => DoAsync("disconnect", endpoint);

    /// <summary>Sends without waiting.</summary>
    public Task SendAsync(params string[] frames) => DoAsync(["send", .. frames.Select(Hex)]);

    /// <summary>The error's name, such as EAGAIN, or null when the message was taken.</summary>
    public async Task<string?> TrySendAsync(params string[] frames)
    {
        await WriteAsync(["send", .. frames.Select(Hex)]);
        return (await ResultAsync()).TryGetProperty("error", out var error) ? error.GetString() : null;
    }

    /// <summary>Whether the socket becomes writable in time.</summary>
    public async Task<bool> IsWritableAsync(int milliseconds = 10_000) => (await DoAsync("wait", "POLLOUT", milliseconds)).GetBoolean();

    /// <summary>The next message.</summary>
    public async Task<string[]> ReceiveAsync() => await TryReceiveAsync(20_000) ?? throw new InvalidOperationException($"No message came. The peer's errors: {string.Join('\n', _errors)}");

    /// <summary>The next message; null when none came in time.</summary>
    public async Task<string[]?> TryReceiveAsync(int milliseconds)
    {
        var frames = await DoAsync("receive", milliseconds);
        return frames.ValueKind == JsonValueKind.Null ? null : [.. frames.EnumerateArray().Select(frame => Encoding.Latin1.GetString(Convert.FromHexString(frame.GetString()!)))];
    }

    /// <summary>Receives a message and looks up properties of its sender.</summary>
    public async Task<Dictionary<string, string?>> PropertiesAsync(params string[] names) => (await DoAsync("properties", 20_000, names)).Deserialize<Dictionary<string, string?>>()!;

    /// <summary>Sends so many messages with their numbers, waiting where the socket waits.</summary>
    public Task NumbersAsync(int count) => DoAsync("numbers", count);

    /// <summary>Sends until a message is refused.</summary>
    /// <returns>How many were taken.</returns>
    public async Task<int> FloodAsync(string frame, int count) => (await DoAsync("flood", Hex(frame), count)).GetInt32();

    /// <summary>Counts what comes until nothing has come for a while.</summary>
    public async Task<int> CountAsync(int milliseconds = 500) => (await DoAsync("count", milliseconds)).GetInt32();

    public async ValueTask DisposeAsync()
    {
        // A test may end a peer early, and its scope ends it again.
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        await _readingErrors;
        _process.Dispose();
    }

    private static string Hex(string frame) => Convert.ToHexString(Encoding.Latin1.GetBytes(frame));

    private async Task<JsonElement> DoAsync(params object[] action)
    {
        await WriteAsync(action);
        var result = await ResultAsync();
        return result.TryGetProperty("ok", out var value) ? value : throw new InvalidOperationException($"{action[0]}: {result.GetProperty("error").GetString()}");
    }

    private async Task WriteAsync(object[] action)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(action));
        await _process.StandardInput.FlushAsync();
    }

    private async Task<JsonElement> ResultAsync()
    {
        var line = await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        if (line is null) throw new InvalidOperationException($"The peer ended. Its errors: {string.Join('\n', _errors)}");
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }
}
