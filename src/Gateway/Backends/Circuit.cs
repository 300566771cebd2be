using Gateway.Configuration;

namespace Gateway.Backends;

/// <summary>The circuit of one endpoint: consecutive timeouts open it, calls are then rejected for a while, then one probe decides.</summary>
internal sealed class Circuit(CircuitOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private int _failures;
    private long _openedAt;
    private bool _open;
    private bool _probing;

    /// <summary>Whether calls are rejected now; true also while a probe is under way.</summary>
    public bool IsOpen => Volatile.Read(ref _open);

    /// <summary>Whether a call may go. With an open circuit: true for the one probe after the break.</summary>
    public bool TryEnter()
    {
        if (!Volatile.Read(ref _open)) return true;
        lock (_gate)
        {
            if (!_open) return true;
            if (_probing || time.GetElapsedTime(_openedAt) < options.Break) return false;
            _probing = true;
            return true;
        }
    }

    /// <summary>A call was answered.</summary>
    public void Succeeded()
    {
        if (Volatile.Read(ref _failures) == 0 && !Volatile.Read(ref _open)) return;
        lock (_gate) (_failures, _open, _probing) = (0, false, false);
    }

    /// <summary>A call timed out.</summary>
    public void Failed()
    {
        if (options.Failures == 0) return;
        lock (_gate)
        {
            if (++_failures < options.Failures && !_probing) return;
            (_open, _probing, _openedAt) = (true, false, time.GetTimestamp());
        }
    }

    /// <summary>A call ended without saying anything about the peer (its client left): a probe leaves room for another.</summary>
    public void Abandoned()
    {
        if (!Volatile.Read(ref _open)) return;
        lock (_gate) _probing = false;
    }
}
