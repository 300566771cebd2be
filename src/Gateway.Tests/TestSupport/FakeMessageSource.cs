using Gateway.Backends;
using Gateway.Configuration;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.TestSupport;

/// <summary>A source that sends what the test says, through as many peers as the test wants, and records what it is asked for.</summary>
internal sealed class FakeMessageSource(string name, string socket = "SUB") : IBackend, IMessageSource
{
    private readonly Lock _gate = new();
    private readonly List<string> _log = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Func<IFrameSink>? _sinkForPeer;
    private IFrameSink? _first;

    public string Name => name;

    public string Socket => socket;

    public IReadOnlyList<EndpointStatus> Endpoints => [];

    public bool IsReady => WhyNotReady is null;

    public string? WhyNotReady { get; set; }

    /// <summary>Subscriptions as they came: <c>+prefix</c> and <c>-prefix</c>.</summary>
    public IReadOnlyList<string> Asked
    {
        get { lock (_gate) return [.. _log]; }
    }

    /// <summary>Waits until the hub has asked so often, for changes that reach it by another thread.</summary>
    public async Task<IReadOnlyList<string>> AskedAsync(int count)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_log.Count >= count) return [.. _log];
                changed = _changed.Task;
            }

            await changed.WaitAsync(ScriptedPeer.Patience);
        }
    }

    public void Start(Func<IFrameSink> sinkForPeer) => _sinkForPeer = sinkForPeer;

    public void Subscribe(ReadOnlyMemory<byte> prefix) => Record('+', prefix);

    public void Unsubscribe(ReadOnlyMemory<byte> prefix) => Record('-', prefix);

    /// <summary>The sink of a peer that becomes ready now.</summary>
    public IFrameSink NewPeer() => _sinkForPeer!();

    /// <summary>One message from the first peer, in a batch of its own.</summary>
    /// <returns>Completes when the peer may send again.</returns>
    public ValueTask SendAsync(params ReadOnlySpan<byte[]> frames)
    {
        var sink = _first ??= NewPeer();
        var goesOn = Accept(sink, frames);
        sink.BatchEnd();
        return goesOn ? default : sink.WhenReadyAsync(CancellationToken.None);
    }

    /// <summary>Gives a sink the frames of one message.</summary>
    public static bool Accept(IFrameSink sink, params ReadOnlySpan<byte[]> frames)
    {
        var goesOn = true;
        for (var i = 0; i < frames.Length; i++)
        {
            goesOn = sink.Accept(new FramePart(frames[i], frames[i].Length, isFirst: true, isLast: true, more: i < frames.Length - 1));
        }

        return goesOn;
    }

    private void Record(char change, ReadOnlyMemory<byte> prefix)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            _log.Add(change + System.Text.Encoding.UTF8.GetString(prefix.Span));
            (changed, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        changed.TrySetResult();
    }
}

/// <summary>A fake source for every backend that the configuration names.</summary>
internal sealed class FakeSources(GatewayConfiguration configuration) : IBackendRegistry
{
    private readonly Dictionary<string, FakeMessageSource> _sources = configuration.Current.Backends.ToDictionary(
        backend => backend.Key, backend => new FakeMessageSource(backend.Key, backend.Value.Socket), StringComparer.OrdinalIgnoreCase);

    public IEnumerable<IBackend> All => _sources.Values;

    public FakeMessageSource this[string name] => _sources[name];

    public bool TryGet(string name, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out IBackend backend)
    {
        backend = _sources.GetValueOrDefault(name);
        return backend is not null;
    }
}
