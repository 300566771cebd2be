namespace Gateway.Streams;

/// <summary>The sender loops: one per core, made when the first subscriber comes.</summary>
internal sealed class SenderLoops(ILogger<SenderLoops> logger) : IDisposable
{
    private readonly Lock _gate = new();
    private SenderLoop[]? _all;
    private uint _next;

    /// <summary>All of them.</summary>
    public IReadOnlyList<SenderLoop> All
    {
        get
        {
            lock (_gate) return _all ??= [.. Enumerable.Range(0, Environment.ProcessorCount).Select(number => new SenderLoop(number, logger))];
        }
    }

    /// <summary>The loop of the next subscriber, in turn.</summary>
    public int Next() => (int)(Interlocked.Increment(ref _next) % (uint)All.Count);

    /// <summary>Ends the loops.</summary>
    public void Dispose()
    {
        foreach (var loop in _all ?? []) loop.Dispose();
    }
}
