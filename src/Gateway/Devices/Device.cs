using Gateway.Configuration;
using Zmtp.Proxies;

namespace Gateway.Devices;

/// <summary>One configured device: started, watched, started again when it fails, and steered.</summary>
internal sealed class Device : IAsyncDisposable
{
    // What ran this long has started well; its next failure is a new one.
    private static readonly TimeSpan LongRun = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lock _gate = new();
    private readonly DeviceSocketFactory _factory;
    private readonly DeviceLog _log;
    private readonly TimeProvider _time;
    private readonly Func<double> _jitter;
    private readonly ITimer _retry;
    private ZmtpProxy? _proxy;
    private Task _watching = Task.CompletedTask;
    private Task _retrying = Task.CompletedTask;
    private DeviceState _state;
    private DateTimeOffset _since;
    private DateTimeOffset? _nextTry;
    private string? _lastError;
    private DeviceTotals _past;
    private DeviceRates _rates;
    private ProxyTap? _tap;
    private DateTimeOffset? _startedAt;
    private int _failures;
    private bool _isDisposed;

    public Device(string name, DeviceOptions options, DeviceSocketFactory factory, DeviceLog log, TimeProvider time, Func<double> jitter)
    {
        (Name, Options, _factory, _log, _time, _jitter) = (name, options, factory, log, time, jitter);
        _since = time.GetUtcNow();
        _rates = new DeviceRates(time.GetTimestamp());
        _retry = time.CreateTimer(static device => ((Device)device!).Retry(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Taps = new DeviceTaps(this, time);
    }

    public string Name { get; }

    public DeviceOptions Options { get; }

    /// <summary>Those who watch its traffic.</summary>
    public DeviceTaps Taps { get; }

    /// <summary>How often it was started again after a failure.</summary>
    public int Restarts { get; private set; }

    /// <summary>How it is now.</summary>
    public DeviceStatus Status
    {
        get
        {
            lock (_gate)
            {
                Notice();
                return new DeviceStatus(_state, _since, _lastError, _nextTry, Totals(), _rates, _proxy);
            }
        }
    }

    /// <summary>Starts it; does nothing while it runs. A failure is no exception: the device says it and tries again.</summary>
    public Task StartAsync() => InTurnAsync(StartInTurnAsync);

    /// <summary>Ends it after what it took had the linger time to go on.</summary>
    public Task StopAsync() => InTurnAsync(async () =>
    {
        await EndAsync();
        Enter(DeviceState.Stopped, null);
    });

    /// <summary>Ends it and starts it.</summary>
    public Task RestartAsync() => InTurnAsync(async () =>
    {
        await EndAsync();
        await StartInTurnAsync();
    });

    /// <summary>Lets nothing pass until it is resumed.</summary>
    /// <returns>False when it does not run.</returns>
    public bool Pause() => Steer(static proxy => proxy.Pause());

    /// <summary>Lets messages pass again.</summary>
    /// <returns>False when it does not run.</returns>
    public bool Resume() => Steer(static proxy => proxy.Resume());

    /// <summary>Completes when what is being done with the device now is done.</summary>
    public Task Settled() => InTurnAsync(static () => Task.CompletedTask);

    /// <summary>Sets who sees messages pass; null for nobody.</summary>
    public void Watch(ProxyTap? tap)
    {
        lock (_gate)
        {
            _tap = tap;
            if (_proxy is not null) _proxy.Tap = tap;
        }
    }

    /// <summary>Notes the counts, for the rates; about once a second.</summary>
    public void Sample()
    {
        lock (_gate) _rates.Sample(_time, Totals());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        await Taps.DisposeAsync();
        await _retry.DisposeAsync();
        await StopAsync();
        await Task.WhenAll(_watching, _retrying);
        _turn.Dispose();
    }

    private async Task StartInTurnAsync()
    {
        if (_proxy is not null || _isDisposed) return;
        try
        {
            var proxy = await _factory.OpenAsync(Name, Options, _log.Tell);
            lock (_gate)
            {
                proxy.Tap = _tap;
                _proxy = proxy;
            }

            Enter(DeviceState.Running, null);
            _startedAt = _time.GetUtcNow();
            _log.Started(Options.Type);
            _watching = WatchAsync(proxy);
        }
#pragma warning disable CA1031 // Whatever keeps a device from starting, the gateway runs on and says why.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(e);
        }
    }

    private async Task EndAsync()
    {
        _retry.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (_proxy is not { } proxy) return;
        Enter(DeviceState.Stopping, null);
        await proxy.DisposeAsync();
        lock (_gate)
        {
            _past = Totals();
            _proxy = null;
        }

        _log.Stopped();
    }

    /// <summary>Waits for the end that the control socket or a defect brings.</summary>
    private async Task WatchAsync(ZmtpProxy proxy)
    {
        Exception? defect = null;
        try
        {
            await proxy.Terminated;
        }
#pragma warning disable CA1031 // Whatever ended it: it is said and the device is started again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            defect = e;
        }

        // At an end that was asked for, who asked goes on from here.
        if (proxy.State == ProxyState.Stopped) return;
        await InTurnAsync(async () =>
        {
            if (_proxy != proxy) return;
            await EndAsync();
            if (defect is not null) Fail(defect);
            else Enter(DeviceState.Stopped, "ended by its control socket");
        });
    }

    private void Fail(Exception reason)
    {
        if (_startedAt is { } started && _time.GetUtcNow() - started > LongRun) _failures = 0;
        _startedAt = null;
        var ceiling = TimeSpan.FromTicks((long)Math.Min(Options.RestartMax.Ticks, Options.RestartMin.Ticks * Math.Pow(2, Math.Min(_failures++, 30))));
        // Always jittered, over the upper half: many gateways must not come back in step.
        var delay = ceiling * (0.5 + (_jitter() / 2));
        Enter(DeviceState.Failed, reason.Message, _time.GetUtcNow() + delay);
        _log.Failed(reason, delay);
        if (!_isDisposed) _retry.Change(delay, Timeout.InfiniteTimeSpan);
    }

    private void Retry() => _retrying = InTurnAsync(() =>
    {
        if (_state != DeviceState.Failed) return Task.CompletedTask;
        Restarts++;
        return StartInTurnAsync();
    });

    private async Task InTurnAsync(Func<Task> action)
    {
        await _turn.WaitAsync();
        try
        {
            await action();
        }
        finally
        {
            _turn.Release();
        }
    }

    private bool Steer(Action<ZmtpProxy> steer)
    {
        lock (_gate)
        {
            if (_proxy is not { State: ProxyState.Running or ProxyState.Paused } proxy) return false;
            steer(proxy);
            Notice();
            return true;
        }
    }

    /// <summary>The control socket pauses and resumes without asking here.</summary>
    private void Notice()
    {
        if (_state is not (DeviceState.Running or DeviceState.Paused)) return;
        var now = _proxy?.State == ProxyState.Paused ? DeviceState.Paused : DeviceState.Running;
        if (now == _state) return;
        (_state, _since) = (now, _time.GetUtcNow());
    }

    private void Enter(DeviceState state, string? error, DateTimeOffset? nextTry = null)
    {
        lock (_gate)
        {
            if (error is not null) _lastError = error;
            (_state, _since, _nextTry) = (state, _time.GetUtcNow(), nextTry);
        }
    }

    private DeviceTotals Totals() => _proxy is { } proxy ? _past.With(proxy.Statistics) : _past;
}

/// <summary>How a device is at one moment.</summary>
/// <param name="LastError">Why it failed or ended last; it stays until the next failure.</param>
/// <param name="NextTry">When it is started again, while failed.</param>
/// <param name="Proxy">What runs; null while nothing does.</param>
internal sealed record DeviceStatus(DeviceState State, DateTimeOffset Since, string? LastError, DateTimeOffset? NextTry, DeviceTotals Totals, DeviceRates Rates, ZmtpProxy? Proxy);
