using Zmtp.Sockets;

namespace Zmtp.Transports;

/// <summary>The names that inproc endpoints are bound to. Connecting before binding waits.</summary>
public sealed class InprocRegistry
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, InprocListener> _bound = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The set of names that sockets use by default.</summary>
    public static InprocRegistry Shared { get; } = new();

    internal void Bind(string name, InprocListener listener)
    {
        TaskCompletionSource changed;
        lock (_gate)
        {
            if (!_bound.TryAdd(name, listener)) throw new ZmtpException($"inproc://{name} is bound already.");
            (changed, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        changed.TrySetResult();
    }

    internal void Unbind(string name, InprocListener listener)
    {
        lock (_gate)
        {
            if (_bound.TryGetValue(name, out var bound) && bound == listener) _bound.Remove(name);
        }
    }

    internal InprocListener? Find(string name, out Task changed)
    {
        lock (_gate)
        {
            changed = _changed.Task;
            return _bound.GetValueOrDefault(name);
        }
    }
}

/// <summary>What an inproc name is bound to, and since when.</summary>
internal sealed record InprocListener(string Endpoint, PeerSet Set, DateTimeOffset Since);
