using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Gateway.Connections;

/// <summary>
/// Aborts a request whose client takes nothing more of a streamed response, or takes it too slowly. In place of the server's minimum rate,
/// which sees only that a flush is under way: the kernel wakes a writer when a third of its buffer is free, which a client of 5 KB/s needs
/// minutes for.
/// </summary>
/// <remarks>One per response that is streamed. It looks only while a flush waits.</remarks>
internal sealed class StallWatch : IDisposable
{
    // How often it looks within the deadline: a stall is found at most a tenth late.
    private const int Looks = 10;

    private readonly HttpContext _context;
    private readonly ISendProgress? _progress;
    private readonly TimeSpan _deadline;
    private readonly long _minRate;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private bool _waits;
    private long _taken;
    private long _takenAt;
    private long _windowTaken;
    private long _windowAt;

    /// <param name="deadline">Time without a byte taken after which the request is aborted.</param>
    /// <param name="minRate">Least bytes per second, on average over each deadline; 0 for none.</param>
    public StallWatch(HttpContext context, TimeSpan deadline, long minRate, TimeProvider time)
    {
        (_context, _deadline, _minRate, _time) = (context, deadline, minRate, time);
        // Of several responses on one HTTP/2 connection the bytes taken say nothing about this one: there every flush has the whole
        // deadline.
        if (!HttpProtocol.IsHttp2(context.Request.Protocol)) _progress = context.Features.Get<ISendProgress>();
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } server) server.MinDataRate = null;
        _timer = time.CreateTimer(static watch => ((StallWatch)watch!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether it has aborted the request.</summary>
    public bool HasStalled { get; private set; }

    /// <summary>Watches a flush until it is done.</summary>
    public async ValueTask WaitAsync(Task flush)
    {
        lock (_gate)
        {
            _waits = true;
            (_taken, _takenAt) = (_progress?.TakenBytes ?? 0, _time.GetTimestamp());
            (_windowTaken, _windowAt) = (_taken, _takenAt);
            _timer.Change(_deadline / Looks, _deadline / Looks);
        }

        try
        {
            await flush;
        }
        finally
        {
            lock (_gate)
            {
                _waits = false;
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        lock (_gate)
        {
            if (!_waits || HasStalled) return;
            var (taken, now) = (_progress?.TakenBytes ?? 0, _time.GetTimestamp());
            if (taken != _taken) (_taken, _takenAt) = (taken, now);
            HasStalled = _time.GetElapsedTime(_takenAt, now) >= _deadline || IsTooSlow(taken, now);
            if (!HasStalled) return;
        }

        // Outside the lock: whoever hears of it completes the flush.
        _context.Abort();
    }

    private bool IsTooSlow(long taken, long now)
    {
        var window = _time.GetElapsedTime(_windowAt, now);
        if (_minRate == 0 || _progress is null || window < _deadline) return false;
        if (taken - _windowTaken < _minRate * window.TotalSeconds) return true;
        (_windowTaken, _windowAt) = (taken, now);
        return false;
    }
}
