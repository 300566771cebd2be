using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Zmtp.Wire;

namespace Zmtp.Transports.WebSockets;

/// <summary>
/// ZeroMQ over WebSocket on a connected link: the session above speaks ZMTP frames, the wire carries WebSocket messages (45/ZWS 2.0). Lengths are
/// known from headers on both sides, so a large frame streams through in either direction.
/// </summary>
/// <param name="inner">Carries the bytes.</param>
/// <param name="isClient">Whether we ask for the upgrade, and mask.</param>
/// <param name="endpoint">Where to; its path is asked for.</param>
/// <param name="options">Limits and the clock.</param>
/// <param name="subprotocols">What may be agreed on, the preferred one first.</param>
/// <param name="agreed">The subprotocol, where somebody else has done the upgrade.</param>
internal sealed class WebSocketLink(Link inner, bool isClient, ZmtpEndpoint endpoint, ZmtpOptions options, string[] subprotocols, string agreed = "") : Link
{
    private const int SmallBuffer = HttpHead.MaxBytes;
    private const int LargeBuffer = 64 * 1024;
    // A body of which so much is left is received, or sent by a server, with no copy in between.
    private const int DirectBytes = 4 * 1024;
    private const int MaxDrain = 1024 * 1024;
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(1);
    private readonly ZwsWriter _writer = new(isClient);
    private readonly SemaphoreSlim _sending = new(1, 1);
    private ZwsReader? _reader;
    private ILinkSignals? _signals;
    private byte[] _in = [];
    private int _inStart;
    private int _inEnd;
    private bool _wasFilled;
    private string _agreed = agreed;
    private byte[]? _peerClose;
    private byte[]? _ownClose;
    private bool _hasEnded;
    private bool _isFaulty;
    private bool _isClosed;
    private volatile bool _isAborted;

    public override string Remote => inner.Remote;

    internal override async ValueTask<SessionForm> OpenAsync(ILinkSignals signals, CancellationToken cancellationToken)
    {
        _signals = signals;
        await inner.OpenAsync(signals, cancellationToken);
        _in = ArrayPool<byte>.Shared.Rent(SmallBuffer);
        if (_agreed.Length == 0) _agreed = isClient ? await AskAsync(cancellationToken) : await AnswerAsync(cancellationToken);
        var isBare = _agreed == WebSocketUpgrade.Bare;
        var maxFragmented = options.MaxMessageSize > 0 ? Math.Min(options.MaxMessageSize + 1, options.MaxEncryptedFrameSize) : options.MaxEncryptedFrameSize;
        _reader = new ZwsReader(peerMasks: !isClient, commands: !isBare, (int)maxFragmented);
        return isBare ? SessionForm.BareWebSocket : SessionForm.WebSocket;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_isFaulty) throw new ZmtpProtocolException(_reader!.Error, _reader.Fault);
            if (_peerClose is not null) return 0;
            if (Translate(buffer.Span) is > 0 and var translated) return translated;
            if (_isFaulty || _peerClose is not null) continue;
            var bodyLeft = _reader!.BodyLeft;
            if (Math.Min(bodyLeft, buffer.Length) >= DirectBytes)
            {
                var body = buffer[..(int)Math.Min(bodyLeft, buffer.Length)];
                var direct = await inner.ReceiveAsync(body, cancellationToken);
                if (direct == 0) return End();
                _signals!.LinkAlive();
                _reader.TakeBody(body.Span[..direct]);
                return direct;
            }

            GrowIfFilled();
            var count = await inner.ReceiveAsync(_in, cancellationToken);
            if (count == 0) return End();
            _signals!.LinkAlive();
            (_inStart, _inEnd, _wasFilled) = (0, count, count == _in.Length);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer)
    {
        // One writer at a time is the rule; only the close may come in between two of its sends.
        await _sending.WaitAsync();
        try
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (Math.Min(_writer.BodyLeft, buffer.Length) >= DirectBytes)
            {
                var sent = await inner.SendAsync(buffer[..(int)Math.Min(_writer.BodyLeft, buffer.Length)]);
                _writer.Sent(sent);
                return sent;
            }

            var output = ArrayPool<byte>.Shared.Rent(buffer.Length <= SmallBuffer / 2 ? SmallBuffer : LargeBuffer);
            try
            {
                var consumed = _writer.Translate(buffer.Span, output, out var written);
                for (var at = 0; at < written;) at += await inner.SendAsync(output.AsMemory(at, written - at));
                return consumed;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(output);
            }
        }
        finally
        {
            _sending.Release();
        }
    }

    public override void Abort()
    {
        _isAborted = true;
        inner.Abort();
    }

    /// <summary>What the close will say, whatever the reason is; the first one counts.</summary>
    public void CloseWith(int code, string words) => Interlocked.CompareExchange(ref _ownClose, ClosePayload(code, words), null);

    internal override async ValueTask CloseAsync(Exception? reason)
    {
        if (_reader is not null && !_isAborted && !_hasEnded)
        {
            using var enough = new CancellationTokenSource(CloseTime, options.Time);
            try
            {
                await SayCloseAsync(reason, enough.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
            {
                // The peer is gone, or takes nothing: then there is nobody to say it to.
            }
        }

        await DisposeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        var buffer = _in;
        _in = [];
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }

    private async ValueTask<string> AskAsync(CancellationToken cancellationToken)
    {
        var key = WebSocketUpgrade.NewKey();
        await SendAllAsync(WebSocketUpgrade.Request(endpoint, key, subprotocols), cancellationToken);
        var length = await ReceiveHeadAsync((byte)'H', cancellationToken);
        if (!WebSocketUpgrade.TryReadResponse(_in.AsSpan(0, length), key, subprotocols, out var chosen, out var fault)) throw new ZmtpProtocolException(ProtocolError.UpgradeFailed, fault);
        return chosen;
    }

    private async ValueTask<string> AnswerAsync(CancellationToken cancellationToken)
    {
        var length = await ReceiveHeadAsync((byte)'G', cancellationToken);
        var isGood = WebSocketUpgrade.TryAnswer(_in.AsSpan(0, length), subprotocols, out var chosen, out var answer, out var fault);
        await SendAllAsync(answer, cancellationToken);
        return isGood ? chosen : throw new ZmtpProtocolException(ProtocolError.UpgradeFailed, fault);
    }

    /// <summary>Receives up to the empty line; what follows stays for the frames.</summary>
    private async ValueTask<int> ReceiveHeadAsync(byte first, CancellationToken cancellationToken)
    {
        while (true)
        {
            var count = await inner.ReceiveAsync(_in.AsMemory(_inEnd, HttpHead.MaxBytes - _inEnd), cancellationToken);
            if (count == 0) throw new ZmtpException($"{Remote} closed the connection during the WebSocket upgrade; libzmq does so when it does not speak the subprotocol ({string.Join(", ", subprotocols)}).");
            _inEnd += count;
            // Another protocol is known by its first octet; waiting for its empty line would take the whole handshake's time.
            if (_in[0] != first) throw new ZmtpProtocolException(ProtocolError.UpgradeFailed, "the other side does not speak HTTP");
            var length = HttpHead.Find(_in.AsSpan(0, _inEnd));
            if (length >= 0)
            {
                _inStart = length;
                return length;
            }

            if (_inEnd == HttpHead.MaxBytes) throw new ZmtpProtocolException(ProtocolError.UpgradeFailed, $"the head has more than {HttpHead.MaxBytes} bytes");
        }
    }

    private async ValueTask SendAllAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty) bytes = bytes[await inner.SendAsync(bytes).AsTask().WaitAsync(cancellationToken)..];
    }

    /// <returns>Bytes for the session; with 0 more has to be received, or the connection is faulty or closed.</returns>
    private int Translate(Span<byte> output)
    {
        var total = 0;
        while (true)
        {
            var found = _reader!.Next(_in.AsSpan(_inStart, _inEnd - _inStart), output[total..], out var consumed, out var written);
            _inStart += consumed;
            total += written;
            switch (found)
            {
                case ZwsRead.Ping:
                    // Only the newest ping has to be answered (RFC 6455, 5.5.3).
                    _writer.PongPayload = _reader.Control.ToArray();
                    _signals!.LinkPinged();
                    continue;
                case ZwsRead.Pong:
                    continue;
                case ZwsRead.Close:
                    _peerClose = _reader.Control.ToArray();
                    return total;
                case ZwsRead.Invalid:
                    _isFaulty = true;
                    return total;
                default:
                    return total;
            }
        }
    }

    private int End()
    {
        _hasEnded = true;
        return 0;
    }

    private void GrowIfFilled()
    {
        if (!_wasFilled || _in.Length >= LargeBuffer) return;
        // A peer that fills the buffer gets a larger one; nothing is in it now.
        ArrayPool<byte>.Shared.Return(_in);
        _in = ArrayPool<byte>.Shared.Rent(LargeBuffer);
    }

    private async Task SayCloseAsync(Exception? reason, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            _isClosed = true;
            // Inside a message a close would be taken for its bytes.
            if (!_writer.IsBetweenMessages) return;
            var frame = new byte[WebSocketHeader.MaxSize + WebSocketHeader.MaxControlPayload];
            var length = _writer.WriteControl(frame, WebSocketOpcode.Close, _peerClose ?? _ownClose ?? ClosePayload(reason));
            await SendAllAsync(frame.AsMemory(0, length), cancellationToken);
        }
        finally
        {
            _sending.Release();
        }

        // The server closes the connection, the client waits for it (RFC 6455, 7.1.1); both let a close of ours arrive before a reset could.
        if (_peerClose is null || isClient) await DrainAsync(cancellationToken);
    }

    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        var scratch = new byte[DirectBytes];
        for (var drained = 0; drained < MaxDrain;)
        {
            if (!_isFaulty && _peerClose is null)
            {
                // What the peer still says is dropped; its own close is what is waited for.
                while (Translate(scratch) > 0) drained++;
                if (_peerClose is not null && !isClient) return;
            }

            var count = await inner.ReceiveAsync(_in, cancellationToken);
            if (count == 0) return;
            (_inStart, _inEnd) = (0, count);
            drained += count;
        }
    }

    private static byte[] ClosePayload(Exception? reason)
    {
        var (code, words) = reason switch
        {
            null => (1000, ""),
            ZmtpProtocolException { Error: ProtocolError.RefusedByPeer } => (1000, ""),
            ZmtpProtocolException { Error: ProtocolError.FrameTooLarge or ProtocolError.TooManyFrames or ProtocolError.CommandTooLarge } e => (1009, $"{e.Error}"),
            ZmtpProtocolException { Error: ProtocolError.Unauthorized or ProtocolError.HandshakeTimeout or ProtocolError.TooManySubscriptions or ProtocolError.TopicTooLong or ProtocolError.UnexpectedMessage } e => (1008, $"{e.Error}"),
            ZmtpProtocolException e => (1002, $"{e.Error}"),
            ZmtpException => (1008, "not taken"),
            _ => (1011, ""),
        };
        return ClosePayload(code, words);
    }

    private static byte[] ClosePayload(int code, string words)
    {
        var payload = new byte[2 + words.Length];
        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
        Encoding.ASCII.GetBytes(words, payload.AsSpan(2));
        return payload;
    }
}
