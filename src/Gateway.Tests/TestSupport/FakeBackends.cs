using System.Diagnostics.CodeAnalysis;
using Gateway.Backends;
using Gateway.Configuration;

namespace Gateway.Tests.TestSupport;

/// <summary>Backends that are always there, for whatever the configuration names.</summary>
internal sealed class FakeBackends(GatewayConfiguration configuration) : IBackendRegistry
{
    private readonly Dictionary<string, FakeBackend> _backends = configuration.Current.Backends.ToDictionary(
        backend => backend.Key, backend => new FakeBackend(backend.Key, backend.Value.Socket), StringComparer.OrdinalIgnoreCase);

    public IEnumerable<IBackend> All => _backends.Values.OrderBy(backend => backend.Name, StringComparer.OrdinalIgnoreCase);

    public FakeBackend this[string name] => _backends[name];

    public bool TryGet(string name, [MaybeNullWhen(false)] out IBackend backend)
    {
        backend = _backends.GetValueOrDefault(name);
        return backend is not null;
    }
}
