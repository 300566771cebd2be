using Gateway.Configuration;

namespace Gateway.Backends;

/// <summary>The circuit of one endpoint: consecutive timeouts open it, calls are then rejected for a while, then one probe decides.</summary>
/// <remarks>A probe is one call and has a number: each end of that call reports it, and nobody else's end is taken for it.</remarks>
internal sealed class Circuit(CircuitOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private int _failures;
    private long _openedAt;
    private bool _open;
    private int _probes;
    private int _probe;

    /// <summary>Whether calls are rejected now; true also while a probe is under way.</summary>
    public bool IsOpen => Volatile.Read(ref _open);

    /// <summary>Whether a call may go. With an open circuit: true for the one probe after the break.</summary>
    /// <param name="probe">The number of the probe that the call is, or 0; its end reports it.</param>
    public bool TryEnter(out int probe)
    {
        probe = 0;
        if (!Volatile.Read(ref _open)) return true;
        lock (_gate)
        {
            if (!_open) return true;
            if (_probe != 0 || time.GetElapsedTime(_openedAt) < options.Break) return false;
            probe = _probe = ++_probes;
            return true;
        }
    }

    /// <summary>The peer answered a call, in time or late.</summary>
    public void Succeeded()
    {
        if (Volatile.Read(ref _failures) == 0 && !Volatile.Read(ref _open)) return;
        lock (_gate) (_failures, _open, _probe) = (0, false, 0);
    }

    /// <summary>A call timed out, and it was the peer's doing.</summary>
    public void Failed(int probe = 0)
    {
        if (options.Failures == 0) return;
        lock (_gate)
        {
            // What was sent before the circuit opened says nothing new.
            if (_open ? probe == 0 || probe != _probe : ++_failures < options.Failures) return;
            (_open, _probe, _openedAt) = (true, 0, time.GetTimestamp());
        }
    }

    /// <summary>
    /// A call ended without saying anything about the peer (its client left, its connection was lost): a probe makes room for another.
    /// </summary>
    public void Abandoned(int probe)
    {
        if (probe == 0) return;
        lock (_gate)
        {
            if (_probe == probe) _probe = 0;
        }
    }

    /// <summary>A new connection to an endpoint that had none: whatever was wrong may be over.</summary>
    public void Reset() => Succeeded();
}
