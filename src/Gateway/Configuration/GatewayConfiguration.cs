namespace Gateway.Configuration;

/// <summary>The configuration that runs now.</summary>
internal sealed class GatewayConfiguration(GatewaySnapshot first)
{
    private readonly Lock _gate = new();
    private GatewaySnapshot _current = first;
    private Action<GatewaySnapshot>? _listeners;

    /// <summary>The snapshot that runs now.</summary>
    public GatewaySnapshot Current => Volatile.Read(ref _current);

    /// <summary>Calls back after each reload that was taken over, on the reloading thread.</summary>
    /// <returns>Dispose it to hear no more.</returns>
    public IDisposable OnChange(Action<GatewaySnapshot> listener)
    {
        lock (_gate) _listeners += listener;
        return new Listening(this, listener);
    }

    /// <summary>Takes a valid snapshot over. One caller: the reloader.</summary>
    public void Replace(GatewaySnapshot next)
    {
        Volatile.Write(ref _current, next);
        Action<GatewaySnapshot>? listeners;
        lock (_gate) listeners = _listeners;
        listeners?.Invoke(next);
    }

    private sealed class Listening(GatewayConfiguration owner, Action<GatewaySnapshot> listener) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._gate) owner._listeners -= listener;
        }
    }
}
