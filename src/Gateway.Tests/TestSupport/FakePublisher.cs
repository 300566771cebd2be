using System.Diagnostics.CodeAnalysis;
using System.Text;
using Gateway.Backends;
using Gateway.Configuration;
using Zmtp.Sockets;

namespace Gateway.Tests.TestSupport;

/// <summary>A publisher that keeps what it is given, its frames joined by <c>|</c>, and answers as the test says.</summary>
internal sealed class FakePublisher(string name, string socket) : IBackend, IPublisher
{
    public string Name => name;

    public string Socket => socket;

    public IReadOnlyList<EndpointStatus> Endpoints => [];

    public bool IsReady => true;

    public string? WhyNotReady => null;

    public List<string> Messages { get; } = [];

    public int Peers { get; set; } = 1;

    public BackendException? Failure { get; set; }

    public ValueTask<int> SendAsync<TState>(TState state, Action<TState, IFrameWriter> write, CancellationToken cancellationToken)
    {
        if (Failure is not null) throw Failure;
        var writer = new RecordingFrameWriter();
        write(state, writer);
        Assert.False(writer.More);
        Messages.Add(string.Join('|', writer.Frames.Select(Encoding.UTF8.GetString)));
        return new(Peers);
    }
}

/// <summary>A fake publisher for every backend that the configuration names.</summary>
internal sealed class FakePublishers(GatewayConfiguration configuration) : IBackendRegistry
{
    private readonly Dictionary<string, FakePublisher> _publishers = configuration.Current.Backends.ToDictionary(
        backend => backend.Key, backend => new FakePublisher(backend.Key, backend.Value.Socket), StringComparer.OrdinalIgnoreCase);

    public IEnumerable<IBackend> All => _publishers.Values;

    public FakePublisher this[string name] => _publishers[name];

    public bool TryGet(string name, [MaybeNullWhen(false)] out IBackend backend)
    {
        backend = _publishers.GetValueOrDefault(name);
        return backend is not null;
    }
}
