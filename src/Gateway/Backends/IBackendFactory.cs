using Gateway.Configuration;

namespace Gateway.Backends;

/// <summary>Makes backends of some socket types.</summary>
internal interface IBackendFactory
{
    /// <summary>Whether it makes backends of this socket type.</summary>
    bool Serves(string socket);

    /// <summary>Makes a backend; the options are valid. It is disposed with the registry if it is <see cref="IAsyncDisposable"/>.</summary>
    IBackend Create(string name, BackendOptions options);
}
