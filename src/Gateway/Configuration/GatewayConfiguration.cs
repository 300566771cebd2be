namespace Gateway.Configuration;

/// <summary>The configuration that runs now, and those who follow it.</summary>
/// <remarks>
/// A change has two steps. Everybody who could fail prepares: makes what the next configuration needs and replaces nothing. Only when all
/// have, it is taken over; what fails from there on is told and costs its part alone.
/// </remarks>
internal sealed class GatewayConfiguration(GatewaySnapshot first)
{
    private readonly Lock _gate = new();
    private GatewaySnapshot _current = first;
    private Func<GatewaySnapshot, IPreparedChange>[] _preparers = [];
    private Action<GatewaySnapshot>[] _listeners = [];

    /// <summary>The snapshot that runs now.</summary>
    public GatewaySnapshot Current => Volatile.Read(ref _current);

    /// <summary>Calls back before each change, on the reloading thread. An exception refuses the change.</summary>
    /// <returns>Dispose it to hear no more.</returns>
    public IDisposable OnPrepare(Func<GatewaySnapshot, IPreparedChange> prepare)
    {
        lock (_gate) _preparers = [.. _preparers, prepare];
        return new Listening(() =>
        {
            lock (_gate) _preparers = [.. _preparers.Where(other => other != prepare)];
        });
    }

    /// <summary>Calls back after each reload that was taken over, on the reloading thread.</summary>
    /// <returns>Dispose it to hear no more.</returns>
    public IDisposable OnChange(Action<GatewaySnapshot> listener)
    {
        lock (_gate) _listeners = [.. _listeners, listener];
        return new Listening(() =>
        {
            lock (_gate) _listeners = [.. _listeners.Where(other => other != listener)];
        });
    }

    /// <summary>Takes a valid snapshot over. One caller: the reloader.</summary>
    /// <returns>What failed after the configuration was taken over; each is one follower's trouble.</returns>
    /// <exception cref="Exception">Somebody could not prepare; nothing has changed.</exception>
    public IReadOnlyList<Exception> Replace(GatewaySnapshot next)
    {
        Func<GatewaySnapshot, IPreparedChange>[] preparers;
        Action<GatewaySnapshot>[] listeners;
        lock (_gate) (preparers, listeners) = (_preparers, _listeners);
        var prepared = new List<IPreparedChange>();
        try
        {
            foreach (var prepare in preparers) prepared.Add(prepare(next));
        }
        catch
        {
            foreach (var change in prepared) Try(change.GiveUp);
            throw;
        }

        Volatile.Write(ref _current, next);
        return [.. prepared.Select(change => Try(change.TakeOver)).Concat(listeners.Select(listener => Try(() => listener(next))))
            .OfType<Exception>()];
    }

    private static Exception? Try(Action action)
    {
        try
        {
            action();
            return null;
        }
#pragma warning disable CA1031 // The others have to hear of the change all the same.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e;
        }
    }

    private sealed class Listening(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}

/// <summary>What somebody has made for the next configuration. One of the two is called, once.</summary>
internal interface IPreparedChange
{
    /// <summary>It runs from now on.</summary>
    void TakeOver();

    /// <summary>The change does not come; what was made for it is let go of.</summary>
    void GiveUp();
}
