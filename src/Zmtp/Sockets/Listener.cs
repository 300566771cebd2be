using System.Net.Sockets;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>Accepts connections on one endpoint and runs them.</summary>
internal sealed class Listener : IAsyncDisposable
{
    private readonly PeerSet _set;
    private readonly ZmtpEndpoint _endpoint;
    private readonly Socket _socket;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly HashSet<Task> _connections = [];
    private readonly DateTimeOffset _since;
    private readonly PendingHandshakes _handshakes;
    private Task _accepting = Task.CompletedTask;
    private string? _lastError;
    private bool _isClosed;

    public Listener(PeerSet set, ZmtpEndpoint endpoint)
    {
        _set = set;
        _socket = SocketTransport.Listen(endpoint, set.Options, out _endpoint);
        Endpoint = _endpoint.ToString();
        _since = set.Options.Time.GetUtcNow();
        _handshakes = new PendingHandshakes(set.Options.MaxHandshakes, set.Options.MaxHandshakesPerAddress);
    }

    public string Endpoint { get; }

    public EndpointState State => new(Endpoint, EndpointRole.Bind, EndpointPhase.Listening, _lastError, _since, null);

    public void Start()
    {
        _set.Raise(SocketEventKind.Listening, Endpoint, "");
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Takes no more connections; those that are there go on.</summary>
    public void StopAccepting()
    {
        // Once: a file of the same name may be another listener's by then.
        if (Interlocked.Exchange(ref _isClosed, true)) return;
        _socket.Dispose();
        SocketTransport.Unlink(_endpoint);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        StopAccepting();
        await _accepting;
        Task[] left;
        lock (_gate) left = [.. _connections];
        await Task.WhenAll(left);
        _stopping.Dispose();
        _set.Raise(SocketEventKind.Closed, Endpoint, "");
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Take(await _socket.AcceptAsync(_stopping.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException || Volatile.Read(ref _isClosed))
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it is, an endpoint that stopped accepting without a word would be worse.
                Failed(e);
                // Out of descriptors, most likely: trying at once would spin.
                await Task.Delay(TimeSpan.FromMilliseconds(200), _set.Options.Time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Take(Socket accepted)
    {
        try
        {
            Run(SocketTransport.Accepted(accepted, _endpoint, _set.Options));
        }
        catch (Exception e)
        {
            // Reset before it was looked at, most likely. That is one connection's trouble: the next one must not wait for it.
            accepted.Dispose();
            Failed(e);
        }
    }

    private void Failed(Exception e)
    {
        _lastError = e.Message;
        _set.Raise(SocketEventKind.AcceptFailed, Endpoint, "", e);
    }

    private void Run(Link link)
    {
        _set.Raise(SocketEventKind.Accepted, Endpoint, link.Remote);
        LinkPeer peer = null!;
        peer = _set.MakePeer(link, Endpoint, isOutgoing: false, () =>
        {
            if (peer is WirePeer ready) _handshakes.Remove(ready);
            _set.Accepted(peer);
            _set.Raise(SocketEventKind.Ready, Endpoint, link.Remote);
        });
        if (peer is WirePeer shaking)
        {
            _handshakes.Add(shaking, _endpoint.Scheme == "ipc" ? "" : link.Address)?.Abort(new ZmtpProtocolException(ProtocolError.TooManyHandshakes, "closed to make room for another"));
        }

        // Its own task: a handshake must not hold up the accept loop.
        var running = Task.Run(() => RunAsync(peer));
        lock (_gate) _connections.Add(running);
        _ = running.ContinueWith(
            static (task, state) =>
            {
                var listener = (Listener)state!;
                lock (listener._gate) listener._connections.Remove(task);
            },
            this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task RunAsync(LinkPeer peer)
    {
        var error = await peer.RunAsync(_stopping.Token);
        if (!peer.WasReady)
        {
            if (peer is WirePeer shaking) _handshakes.Remove(shaking);
            if (error is not null) _lastError = $"{peer.Remote}: {Connector.Words(error)}";
        }

        _set.Gone(peer);
        if (_stopping.IsCancellationRequested) return;
        _set.Raise(peer.WasReady ? SocketEventKind.Disconnected : SocketEventKind.HandshakeFailed, Endpoint, peer.Remote, error);
    }
}
