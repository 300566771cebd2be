using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;

namespace Gateway.Tests.TestSupport;

/// <summary>A real libzmq socket in a process of its own: Debian's by python3-zmq, or the one that npm zeromq brings.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Task _reading;

    private PeerProcess(string program, string script, string[] arguments, string security = "none")
    {
        var start = new ProcessStartInfo(program, [script, .. arguments])
        {
            WorkingDirectory = SourceTree.PathOf("src/Gateway.Tests/Peers"),
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PEER_SECURITY"] = security;
        _process = Process.Start(start)!;
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput, line => _lines.Writer.TryWrite(line)), ReadAsync(_process.StandardError, _errors.Enqueue));
    }

    /// <summary>Where the peer is bound, or what it connects to.</summary>
    public string Endpoint { get; private set; } = "";

    /// <summary>Starts a peer and waits until it is ready.</summary>
    /// <param name="kind">python, node, jszmq, or draft for the types of the draft API.</param>
    /// <param name="arguments">Socket type, bind or connect, endpoint, and milliseconds between heartbeats if there are any.</param>
    public static async Task<PeerProcess> StartAsync(string kind, params string[] arguments)
    {
        var peer = kind switch
        {
            "python" => new PeerProcess("/usr/bin/python3", "peer.py", arguments),
            "secure" => new PeerProcess("/usr/bin/python3", "secure_peer.py", arguments),
            "draft" => new PeerProcess("/usr/bin/python3", "draft_peer.py", arguments),
            "jszmq" => new PeerProcess("node", "jszmq.mjs", arguments),
            _ => new PeerProcess("node", "peer.mjs", arguments),
        };
        return await ReadyAsync(peer);
    }

    /// <summary>Starts a Python peer in a network namespace.</summary>
    public static Task<PeerProcess> StartInNetworkAsync(string network, params string[] arguments) =>
        ReadyAsync(new PeerProcess("ip", "netns", ["exec", network, "/usr/bin/python3", "peer.py", .. arguments]));

    /// <summary>Starts a script of the test's own, which need not say when it is ready.</summary>
    public static PeerProcess StartScript(string script, params string[] arguments) => new("/usr/bin/python3", script, arguments);

    /// <summary>Starts a Python peer with PLAIN or CURVE.</summary>
    /// <param name="security">As <c>secure()</c> of peer.py takes it.</param>
    public static Task<PeerProcess> StartSecureAsync(string security, params string[] arguments) =>
        ReadyAsync(new PeerProcess("/usr/bin/python3", "peer.py", arguments, security));

    /// <summary>Starts a peer that takes cases on its standard input; see matrix.py.</summary>
    /// <param name="kind">python, node or jszmq.</param>
    public static PeerProcess StartMatrix(string kind) => kind switch
    {
        "python" => new PeerProcess("/usr/bin/python3", "matrix.py", []),
        "node" => new PeerProcess("node", "matrix.mjs", []),
        _ => new PeerProcess("node", "matrix-jszmq.mjs", []),
    };

    /// <summary>Writes a line to the peer's standard input.</summary>
    public async Task SayAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    private static async Task<PeerProcess> ReadyAsync(PeerProcess peer)
    {
        try
        {
            var ready = await peer.NextLineAsync();
            Assert.StartsWith("ready ", ready, StringComparison.Ordinal);
            peer.Endpoint = ready["ready ".Length..];
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    /// <summary>The next line that the peer prints.</summary>
    public async Task<string> NextLineAsync()
    {
        try
        {
            return await _lines.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (Exception e) when (e is TimeoutException or ChannelClosedException)
        {
            throw new InvalidOperationException($"The peer said nothing more. Its errors: {string.Join('\n', _errors)}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader, Action<string> take)
    {
        while (await reader.ReadLineAsync() is { } line) take(line);
        if (reader == _process.StandardOutput) _lines.Writer.TryComplete();
    }
}
