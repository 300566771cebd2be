using System.Net.Sockets;
using Zmtp.Transports;

namespace Zmtp.Sockets;

/// <summary>A udp endpoint in use: bound by a DISH, which receives, or connected by a RADIO, which sends.</summary>
internal sealed class UdpEndpoint : IAsyncDisposable
{
    private readonly PeerSet _set;
    private readonly ZmtpEndpoint _endpoint;
    private readonly EndpointRole _role;
    private readonly Socket? _bound;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;
    private EndpointPhase _phase;
    private string? _lastError;
    private DateTimeOffset _since;
    private UdpPeer? _peer;

    private UdpEndpoint(PeerSet set, ZmtpEndpoint endpoint, EndpointRole role, Socket? bound)
    {
        (_set, _endpoint, _role, _bound) = (set, endpoint, role, bound);
        (_phase, _since) = (bound is null ? EndpointPhase.Connecting : EndpointPhase.Listening, set.Options.Time.GetUtcNow());
        Endpoint = endpoint.ToString();
    }

    public string Endpoint { get; }

    public EndpointState State
    {
        get
        {
            lock (_gate) return new EndpointState(Endpoint, _role, _phase, _lastError, _since, _phase == EndpointPhase.Ready ? _peer : null);
        }
    }

    /// <exception cref="ZmtpException">It cannot be bound; the message says why.</exception>
    public static UdpEndpoint Bind(PeerSet set, ZmtpEndpoint endpoint)
    {
        var socket = UdpTransport.OpenReceiver(endpoint, set.Options, out var bound);
        return new UdpEndpoint(set, bound, EndpointRole.Bind, socket);
    }

    public static UdpEndpoint Connect(PeerSet set, ZmtpEndpoint endpoint) => new(set, endpoint, EndpointRole.Connect, bound: null);

    public void Start()
    {
        if (_bound is not null) _set.Raise(SocketEventKind.Listening, Endpoint, "");
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        _bound?.Dispose();
        _stopping.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            Exception? error = null;
            try
            {
                if (_bound is not null) await RunPeerAsync(new UdpPeer(_bound, Endpoint, destination: null));
                else await SendAsync();
            }
            catch (OperationCanceledException)
            {
                // Stopped: the loop's condition ends it.
            }
            catch (Exception e)
            {
                error = e;
            }

            if (!_stopping.IsCancellationRequested) await BackOffAsync(error);
        }

        Enter(EndpointPhase.Closed, null, null);
    }

    private async Task SendAsync()
    {
        var (socket, destination) = await UdpTransport.OpenSenderAsync(_endpoint, _set.Options, _stopping.Token);
        using var peer = new UdpPeer(socket, Endpoint, destination);
        Enter(EndpointPhase.Ready, peer, null);
        _set.Raise(SocketEventKind.Ready, Endpoint, peer.Remote);
        await RunPeerAsync(peer);
    }

    private async Task RunPeerAsync(UdpPeer peer)
    {
        if (_set.Owner.PeerReady(peer) is not { } sink) return;
        Exception? reason = null;
        try
        {
            // A sender has nothing to do but to be there.
            if (peer.IsOutgoing) await Task.Delay(Timeout.InfiniteTimeSpan, _stopping.Token);
            else await peer.ReceiveAsync(sink, _stopping.Token);
        }
        catch (Exception e)
        {
            reason = _stopping.IsCancellationRequested ? null : e;
            throw;
        }
        finally
        {
            sink.Closed(reason);
            _set.Owner.PeerGone(peer);
        }
    }

    private async Task BackOffAsync(Exception? error)
    {
        var delay = _set.Options.ReconnectMax * (0.5 + (_set.Options.Jitter() / 2));
        Enter(EndpointPhase.BackingOff, null, error is null ? null : Connector.Words(error));
        _set.Raise(SocketEventKind.Retrying, Endpoint, "", error, delay);
        await Task.Delay(delay, _set.Options.Time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Enter(EndpointPhase phase, UdpPeer? peer, string? error)
    {
        lock (_gate) (_phase, _peer, _lastError, _since) = (phase, peer, error, _set.Options.Time.GetUtcNow());
    }
}
