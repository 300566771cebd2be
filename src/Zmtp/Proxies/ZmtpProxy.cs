using Zmtp.Sockets;
using Zmtp.Wire;

namespace Zmtp.Proxies;

/// <summary>
/// Forwards messages between two sockets, both ways where both can send (libzmq: zmq_proxy, zmq_proxy_steerable; pyzmq: ProxyDevice,
/// MonitoredQueue). Queue: ROUTER and DEALER. Forwarder: XSUB and XPUB. Streamer: PULL and PUSH, or GATHER and SCATTER. <see cref="ProxyPairs"/> names all pairs.
/// </summary>
/// <remarks>
/// A message goes on in the read loop of the peer that sent it, with no queue and no thread between, while the other side has room. When it has
/// none, messages wait up to the source's receive high-water marks, then the source's peers are not read. Two ROUTERs change the first two frames, as
/// pyzmq's monitored queue does, so that the first frame that a peer sends names the peer to go to. A large last frame is sent on while it
/// arrives if its source has no peer beside; everything else is held whole, up to 64 MiB and 64 KiB unless the source's <see
/// cref="ZmtpOptions.MaxMessageSize"/> says otherwise. The proxy takes its sockets over and closes them.
/// </remarks>
public sealed class ZmtpProxy : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly ProxyWay _in;
    private readonly ProxyWay _out;
    private readonly ProxyControl? _control;
    private readonly ITimer _timer;
    private readonly TaskCompletionSource _terminated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ProxyState _state;
    private ProxyTap? _tap;
    private Task? _disposing;

    /// <summary>Joins two sockets. Endpoints are bound and connected afterwards: with the first peer, messages flow.</summary>
    /// <param name="frontend">Side of the clients, by custom; it has no endpoint yet.</param>
    /// <param name="backend">Side of the services; it has no endpoint yet.</param>
    /// <param name="options">Monitor and control.</param>
    /// <exception cref="ArgumentException">The pair is none of <see cref="ProxyPairs"/>, a socket has an endpoint already, or has <see cref="ZmtpOptions.Immediate"/> set to false.</exception>
    public ZmtpProxy(ZmtpSocket frontend, ZmtpSocket backend, ProxyOptions? options = null)
    {
        options ??= new ProxyOptions();
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.StreamTimeout, TimeSpan.Zero, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.StreamBytesPerSecond, 1, nameof(options));
        if (ProxyPairs.Problem(frontend.Type, backend.Type) is { } problem) throw new ArgumentException($"{problem}.", nameof(backend));
        if (frontend == backend) throw new ArgumentException("A proxy has two sockets.", nameof(backend));
        if (frontend.Endpoints.Count + backend.Endpoints.Count > 0) throw new ArgumentException("A socket of a proxy gets its endpoints after the proxy was made.", nameof(frontend));
        // What waits for an endpoint waits in the proxy, where a peer that is ready takes it.
        if (new[] { frontend, backend, options.Monitor }.FirstOrDefault(static socket => socket is { Settings.Immediate: false }) is { } queueing)
            throw new ArgumentException($"A proxy sends to ready peers only, so its {queueing.Type.Name()} socket cannot have Immediate set to false.", nameof(frontend));
        if (options.Monitor is { } monitor)
        {
            if (!ProxyPairs.Monitors.Contains(monitor.Type)) throw new ArgumentException($"A monitor cannot be {monitor.Type.Name()}; allowed: {Names(ProxyPairs.Monitors)}.", nameof(options));
            monitor.Pipes = new Ignoring();
        }

        (Frontend, Backend, Monitor, Control) = (frontend, backend, options.Monitor, options.Control);
        _in = new ProxyWay(this, ProxyDirection.In, frontend, backend, options);
        _out = new ProxyWay(this, ProxyDirection.Out, backend, frontend, options);
        if (options.Control is { } control) _control = new ProxyControl(this, control);
        // For who waits for a ROUTER's full peer, or with a large frame until a peer has sent all it had.
        _timer = frontend.Settings.Time.CreateTimer(static proxy => ((ZmtpProxy)proxy!).WakeAll(), this, Tick, Tick);
        _control?.Start();
    }

    /// <summary>The one side.</summary>
    public ZmtpSocket Frontend { get; }

    /// <summary>The other side.</summary>
    public ZmtpSocket Backend { get; }

    /// <summary>Who gets copies, or null.</summary>
    public ZmtpSocket? Monitor { get; }

    /// <summary>Who steers it, or null.</summary>
    public ZmtpSocket? Control { get; }

    /// <summary>What the proxy does.</summary>
    public ProxyState State => _state;

    /// <summary>What it has moved so far.</summary>
    public ProxyStatistics Statistics => new(_in.Traffic, _out.Traffic, _in.MonitorMissed + _out.MonitorMissed + ((Monitor as PublishingSocket)?.Dropped ?? 0));

    /// <summary>Completes when the control socket says TERMINATE, or with the exception when a defect ended the forwarding; then dispose.</summary>
    public Task Terminated => _terminated.Task;

    /// <summary>Sees every message pass; null for nobody, which costs nothing.</summary>
    public ProxyTap? Tap
    {
        get => Volatile.Read(ref _tap);
        set => Volatile.Write(ref _tap, value);
    }

    /// <summary>Lets nothing pass until <see cref="Resume"/>: messages wait up to the receive high-water marks, then nothing is read.</summary>
    public void Pause() => Change(ProxyState.Running, ProxyState.Paused);

    /// <summary>Lets messages pass again.</summary>
    public void Resume()
    {
        Change(ProxyState.Paused, ProxyState.Running);
        WakeAll();
    }

    /// <summary>Ends it: nothing new is taken, what was taken has the sockets' linger time to go on, then the sockets are closed.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_gate) return new ValueTask(_disposing ??= StopAsync());
    }

    internal void Terminate() => _terminated.TrySetResult();

    /// <summary>A defect: forwarding is over.</summary>
    internal void Fail(Exception reason) => _terminated.TrySetException(reason);

    private async Task StopAsync()
    {
        await Task.Yield();
        lock (_gate) _state = ProxyState.Draining;
        if (_control is not null) await _control.DisposeAsync();
        WakeAll();
        var linger = Frontend.Settings.Linger > Backend.Settings.Linger ? Frontend.Settings.Linger : Backend.Settings.Linger;
        try
        {
            await Task.WhenAll(_in.IdleAsync(), _out.IdleAsync()).WaitAsync(linger, Frontend.Settings.Time);
        }
        catch (TimeoutException)
        {
            // The linger time is over; what waits is counted as lost.
        }

        _state = ProxyState.Stopped;
        await Task.WhenAll(Frontend.DisposeAsync().AsTask(), Backend.DisposeAsync().AsTask(), Monitor?.DisposeAsync().AsTask() ?? Task.CompletedTask);
        WakeAll();
        await Task.WhenAll(_in.IdleAsync(), _out.IdleAsync());
        await _timer.DisposeAsync();
        _terminated.TrySetResult();
    }

    private void Change(ProxyState from, ProxyState to)
    {
        lock (_gate)
        {
            if (_state == from) _state = to;
        }
    }

    private void WakeAll()
    {
        _in.Wake();
        _out.Wake();
    }

    private static string Names(IEnumerable<SocketType> types) => string.Join(", ", types.Select(type => type.Name()));

    /// <summary>A monitor's peers have nothing to say.</summary>
    private sealed class Ignoring : IPipeMaker
    {
        public IncomingPipe MakePipe(Peer peer, byte[]? prefix, Func<Message, bool>? filter) => new Pipe();

        private sealed class Pipe : IncomingPipe
        {
            private readonly DiscardingSink _sink = new();

            public override bool Accept(in FramePart part) => _sink.Accept(part);

            public override bool Enqueue(Message message)
            {
                message.Dispose();
                return true;
            }

            public override ValueTask WhenReadyAsync(CancellationToken stopping) => default;

            public override void BatchEnd() => _sink.BatchEnd();

            public override void Closed(Exception? reason) => _sink.Closed(reason);
        }
    }
}
