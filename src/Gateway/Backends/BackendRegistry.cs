using System.Diagnostics.CodeAnalysis;
using Gateway.Configuration;

namespace Gateway.Backends;

/// <summary>Makes the configured backends and keeps them until shutdown.</summary>
internal sealed class BackendRegistry : IBackendRegistry, IAsyncDisposable
{
    private readonly SortedDictionary<string, IBackend> _backends = new(StringComparer.OrdinalIgnoreCase);

    public BackendRegistry(GatewayConfiguration configuration, IEnumerable<IBackendFactory> factories)
    {
        var makers = factories.ToArray();
        foreach (var (name, options) in configuration.Current.Backends)
        {
            if (makers.FirstOrDefault(maker => maker.Serves(options.Socket)) is { } maker) _backends.Add(name, maker.Create(name, options));
        }
    }

    /// <inheritdoc/>
    public IEnumerable<IBackend> All => _backends.Values;

    /// <inheritdoc/>
    public bool TryGet(string name, [MaybeNullWhen(false)] out IBackend backend) => _backends.TryGetValue(name, out backend);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() =>
        // At once, for each may linger.
        await Task.WhenAll(_backends.Values.OfType<IAsyncDisposable>().Select(backend => backend.DisposeAsync().AsTask()));
}
