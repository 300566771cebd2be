using System.Diagnostics.CodeAnalysis;

namespace Gateway.Backends;

/// <summary>The backends that run, by name.</summary>
internal interface IBackendRegistry
{
    /// <summary>All of them, in the order of their names.</summary>
    IEnumerable<IBackend> All { get; }

    /// <summary>Finds one by its name, without case.</summary>
    bool TryGet(string name, [MaybeNullWhen(false)] out IBackend backend);
}
