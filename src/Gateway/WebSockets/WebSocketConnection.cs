namespace Gateway.WebSockets;

/// <summary>A server connection from its handshake to its end, for users who neither stream nor fan out: whole messages in, whole messages out.</summary>
/// <remarks>Answers pings, pings itself, keeps the deadlines, and closes as RFC 6455, 7, says.</remarks>
internal sealed class WebSocketConnection : IWebSocketReceiver, IWebSocketTicked, IDisposable
{
    // A peer that broke a rule may still be sending; these bound how long we listen so that it gets our close and not a reset.
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(1);
    private const long DrainBytes = 1024 * 1024;

    // Time for the peer's close after ours.
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(5);

    private readonly WebSocketReader _reader;
    private readonly WebSocketOutput _output;
    private readonly WebSocketControlQueue _control = new();
    private readonly WebSocketLiveness _liveness;
    private readonly WebSocketMessageBuffer _message = new();
    private readonly WebSocketMessageHandler _handler;
    private readonly TimeProvider _time;
    private readonly Action _abort;
    private Task _ping = Task.CompletedTask;
    private long _closeBy = long.MaxValue;

    /// <param name="abort">Ends the connection at once, such as <see cref="HttpContext.Abort"/>.</param>
    public WebSocketConnection(
        WebSocketTransport transport, WebSocketLimits limits, WebSocketTiming timing, WebSocketMessageHandler handler, Action abort)
    {
        (_handler, _abort, _time) = (handler, abort, timing.Time);
        _liveness = new WebSocketLiveness(timing);
        _reader = new WebSocketReader(transport.Stream, limits);
        _output = new WebSocketOutput(transport.Stream, _control, _liveness);
    }

    /// <summary>Where the ticker keeps it.</summary>
    public int TickerSlot { get; set; }

    /// <summary>Serves the connection until it has ended.</summary>
    /// <param name="stopping">Shutdown: the peer is told 1001 and has 5 s to answer.</param>
    public async Task<WebSocketEnd> RunAsync(WebSocketTicker ticker, CancellationToken stopping)
    {
        ticker.Add(this);
        try
        {
            var end = await _reader.RunAsync(this, stopping);
            if (end.Kind == WebSocketEndKind.Cancelled)
            {
                await CloseAsync(WebSocketCloseCode.GoingAway, "shutting down");
                end = await _reader.RunAsync(this, CancellationToken.None);
            }

            if (end.ShouldSendClose) await CloseAsync(end.Code, end.Reason);
            if (end.Kind is WebSocketEndKind.Failed or WebSocketEndKind.Refused)
            {
                using var enough = new CancellationTokenSource(DrainTime, _time);
                await _reader.DrainAsync(DrainBytes, enough.Token);
            }

            return end;
        }
        finally
        {
            ticker.Remove(this);
            await _ping;
        }
    }

    /// <summary>Sends a message; waits while another is being sent.</summary>
    /// <returns>False: the connection is closing or lost.</returns>
    public ValueTask<bool> SendAsync(WebSocketOpcode opcode, ReadOnlyMemory<byte> message) => _output.SendAsync(opcode, message);

    /// <summary>Sends the close frame; <see cref="RunAsync"/> ends when the peer has answered, or after 5 s. Messages of the peer are dropped meanwhile.</summary>
    public ValueTask CloseAsync(WebSocketCloseCode code, string reason = "")
    {
        Interlocked.CompareExchange(ref _closeBy, _time.GetTimestamp() + (CloseTime.Ticks * _time.TimestampFrequency / TimeSpan.TicksPerSecond), long.MaxValue);
        return _output.CloseAsync(code, reason);
    }

    /// <summary>Call it after <see cref="RunAsync"/>.</summary>
    public void Dispose()
    {
        _output.Dispose();
        _message.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask<WebSocketCloseCode> OnDataAsync(WebSocketOpcode opcode, ReadOnlyMemory<byte> payload, bool endOfMessage)
    {
        if (_control.IsClosing) return WebSocketCloseCode.None;
        if (!_message.Append(payload, endOfMessage, out var message)) return WebSocketCloseCode.None;
        var code = await _handler(this, opcode, message);
        _message.Clear();
        return code;
    }

    /// <inheritdoc/>
    public ValueTask OnPingAsync(ReadOnlyMemory<byte> payload) => _control.OfferPong(payload.Span) ? _output.FlushControlAsync() : default;

    /// <inheritdoc/>
    public void OnPong(ReadOnlySpan<byte> payload)
    {
        // Any byte is a sign of life; which ping it answers does not matter.
    }

    /// <inheritdoc/>
    public void OnAlive() => _liveness.Alive();

    /// <inheritdoc/>
    public void OnTick(long now)
    {
        switch (_liveness.Judge(now))
        {
            case WebSocketVerdict.SendPing when _ping.IsCompleted && _control.OfferPing():
                // Writes at once or leaves it to the writer at work; never throws. Awaited at the end.
                _ping = _output.FlushControlAsync().AsTask();
                break;
            case WebSocketVerdict.PeerSilent or WebSocketVerdict.WriteStalled:
                _abort();
                break;
            default:
                if (now >= Volatile.Read(ref _closeBy)) _abort();
                break;
        }
    }

    /// <inheritdoc/>
    public void OnTickFailed() => _abort();
}

/// <summary>Takes a whole message.</summary>
/// <param name="message">Valid until the returned task completes.</param>
/// <returns>None to go on, else the code to close with.</returns>
internal delegate ValueTask<WebSocketCloseCode> WebSocketMessageHandler(
    WebSocketConnection connection, WebSocketOpcode opcode, ReadOnlyMemory<byte> message);
