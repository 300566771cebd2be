using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Zmtp.Security;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>One byte connection from its first byte to its last: greeting, handshake, then messages and commands both ways.</summary>
internal sealed class WirePeer : LinkPeer, ILinkSignals
{
    private const int InitialBuffer = 8 * 1024;
    private const int MaxUnexpectedMessages = 100;
    private readonly Link _link;
    private readonly SocketType _ownType;
    private readonly ZmtpOptions _options;
    private readonly Mechanism _mechanism;
    private readonly IPeerOwner _owner;
    private readonly Outbox _outbox;
    private readonly CancellationTokenSource _closing = new();
    private FrameDecoder _decoder;
    private ReceiveBuffer _buffer = new(InitialBuffer);
    private Heartbeat? _heartbeat;
    private Exception? _abortReason;
    private int _unexpectedMessages;
    private FrameProtection? _protection;
    private long _protectedBytes;
    private int _protectedFrames;
    private byte _minor;
    private bool _insideUnexpected;
    private SessionForm _form;
    private readonly Lock _sealing = new();
    private bool _owesPong;
    private bool _hasEnded;

    public WirePeer(Link link, string endpoint, bool isOutgoing, SocketType ownType, ZmtpOptions options, Mechanism mechanism, IPeerOwner owner)
    {
        (_link, Endpoint, IsOutgoing, _ownType, _options, _mechanism, _owner) = (link, endpoint, isOutgoing, ownType, options, mechanism, owner);
        _decoder = new FrameDecoder(options.Limits);
        _outbox = new Outbox(link, this, options);
        LastHeard = options.Time.GetTimestamp();
    }

    public override string Endpoint { get; }

    public override string Remote => _link.Remote;

    public override bool IsOutgoing { get; }

    public override bool IsWritable => _outbox.IsWritable;

    /// <summary>When the last byte of the handshake came, as a timestamp of the options' clock; before the first, when the connection was made.</summary>
    internal long LastHeard { get; private set; }

    /// <summary>Whether the handshake waits for the authenticator, which is not the peer's fault.</summary>
    internal bool IsBeingDecided { get; private set; }

    public override bool TryWrite<TState>(TState state, Action<TState, IFrameWriter> write, bool deferFlush = false) => _outbox.TryWrite(state, write, deferFlush);

    public override bool TrySend(Message message, bool deferFlush = false) => _outbox.TrySend(message, deferFlush);

    public override bool TryBeginStream<TState>(TState state, Action<TState, IFrameWriter> write, long length, [NotNullWhen(true)] out FrameStream? stream)
    {
        if (_protection is not null)
        {
            // A box is sealed as a whole; so is the frame in it.
            stream = IsWritable ? CollectingFrameStream.Begin(this, state, write, length, _options.MaxEncryptedFrameSize) : null;
            return stream is not null;
        }

        var begun = _outbox.TryBeginStream(state, write, length, out var wire);
        stream = wire;
        return begun && stream is not null;
    }

    internal override bool TryQueue(in Parcel parcel, FlushBatch batch)
    {
        if (!_outbox.TryQueue(parcel, out var isFirst)) return false;
        if (isFirst) batch.Add(this);
        return true;
    }

    internal override bool TakesPieces => _protection is null;

    internal override void Flush() => _outbox.Flush();

    public override void SendSubscription(ReadOnlySpan<byte> topic, bool subscribe)
    {
        var frame = new ArrayBufferWriter<byte>(topic.Length + 32);
        if (_minor == 0 && _ownType != SocketType.Dish)
        {
            // ZMTP 3.0: a message of one frame, 01 or 00 and the topic.
            var header = FrameHeader.For(topic.Length + 1);
            frame.Advance(header.Write(frame.GetSpan(FrameHeader.MaxSize)));
            frame.Write([subscribe ? (byte)1 : (byte)0]);
            frame.Write(topic);
        }
        else
        {
            var name = subscribe ? CommandNames.Subscribe : CommandNames.Cancel;
            if (_ownType == SocketType.Dish) name = subscribe ? CommandNames.Join : CommandNames.Leave;
            frame.Advance(Command.WriteFrame(frame.GetSpan(Command.FrameSize(name.Length, topic.Length)), name, topic));
        }

        _outbox.SendControl(frame.WrittenSpan, exempt: true);
    }

    public override void Abort(Exception reason)
    {
        Interlocked.CompareExchange(ref _abortReason, reason, null);
        // From here on it takes nothing: a message for a connection that is going would be lost without a word.
        _outbox.Close();
        try
        {
            _link.Abort();
        }
        finally
        {
            // A paused sink is not reading, so it would not notice. On the pool: the caller may hold a lock that the sink's end needs.
            _ = _closing.CancelAsync();
        }
    }

    public override Task FlushedAsync() => _outbox.DrainedAsync();

    internal override void Finish() => _outbox.Finish();

    public override async Task<Exception?> RunAsync(CancellationToken stopping)
    {
        IFrameSink? sink = null;
        Exception? reason = null;
        try
        {
            await ShakeHandsAsync(stopping);
            WasReady = true;
            Ready?.Invoke();
            sink = _owner.PeerReady(this);
            if (sink is null) return new ZmtpException("The socket takes no further peer.");
            _outbox.BoundSubscriptions();
            // libzmq's DISH takes a PING for a group frame and closes (specification digest, section 9); a WebSocket's own are no frames.
            _heartbeat = Heartbeat.Start(this, _options, pings: (_minor > 0 && Type != SocketType.Dish) || _form == SessionForm.WebSocket);
            if (_owesPong) SendPong();
            await ReadMessagesAsync(sink, stopping);
        }
        catch (Exception e)
        {
            // Whatever happened, in the protocol or in a sink, belongs to this connection alone.
            reason = Volatile.Read(ref _abortReason) ?? (stopping.IsCancellationRequested ? null : e);
        }
        finally
        {
            await EndAsync(sink, reason);
        }

        return reason;
    }

    internal override void RaiseWritable() => _owner.PeerWritable(this);

    internal bool SendPing(ReadOnlySpan<byte> frame) => _outbox.SendControl(frame, exempt: false, forLink: _form != SessionForm.Zmtp);

    void ILinkSignals.LinkAlive() => _heartbeat?.Alive();

    void ILinkSignals.LinkPinged()
    {
        if (WasReady) SendPong();
        else _owesPong = true;
    }

    internal override bool IsStreaming => _outbox.IsStreaming;

    /// <summary>Whether frames are sealed, from the handshake on.</summary>
    internal bool IsEncrypted => _protection is not null;

    internal int SealOverhead => _protection?.Overhead ?? 0;

    /// <summary>Seals a frame for a writer beside the outbox, which then sends none itself. Not after the end: the keys are gone.</summary>
    internal bool TrySeal(FrameFlags flags, ReadOnlySpan<byte> body, Span<byte> output)
    {
        lock (_sealing)
        {
            if (_protection is null || _hasEnded) return false;
            _protection.Seal(flags, body, output[..(body.Length + _protection.Overhead)]);
            return true;
        }
    }

    internal override bool IsMinorZero => _minor == 0;

    private async ValueTask EndAsync(IFrameSink? sink, Exception? reason)
    {
        _heartbeat?.Dispose();
        MessagesLost = _outbox.Close();
        await _link.CloseAsync(reason);
        _buffer.Dispose();
        _mechanism.Dispose();
        lock (_sealing)
        {
            _hasEnded = true;
            _protection?.Dispose();
        }

        if (sink is null) return;
        try
        {
            sink.Closed(reason);
        }
        finally
        {
            _owner.PeerGone(this);
        }
    }

    private async Task ShakeHandsAsync(CancellationToken stopping)
    {
        using var timeout = _options.HandshakeTimeout > TimeSpan.Zero
            ? new CancellationTokenSource(_options.HandshakeTimeout, _options.Time)
            : new CancellationTokenSource();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping, _closing.Token);
        try
        {
            _form = await _link.OpenAsync(this, either.Token);
            var handshake = new Handshake(_mechanism, _ownType, _form) { Identity = _options.Identity };
            if (_form == SessionForm.Zmtp) await SendAllAsync(handshake.Greeting(), either.Token);
            while (true)
            {
                var step = handshake.Receive(_buffer.Unread, out var consumed);
                _buffer.Consume(consumed);
                if (step == HandshakeStep.Authenticate) step = handshake.Authenticated(await AuthenticateAsync(either.Token));
                if (handshake.TakeOutput() is { IsEmpty: false } output) await SendAllAsync(output, either.Token);
                if (step == HandshakeStep.Failed) throw new ZmtpProtocolException(handshake.Error, handshake.Reason);
                if (step == HandshakeStep.Done) break;
                // What is unread may hold the next command already; only when it does not, more is waited for.
                if (consumed == 0 || _buffer.Unread.IsEmpty) await ReceiveAsync(_mechanism.MaxCommandBytes, either.Token);
            }

            (Type, Identity, Properties, UserId, _minor) = (handshake.PeerType, handshake.PeerIdentity, handshake.Properties, handshake.UserId, handshake.PeerMinor);
            Protect(_mechanism.Protection);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !stopping.IsCancellationRequested && !_closing.IsCancellationRequested)
        {
            throw new ZmtpProtocolException(ProtocolError.HandshakeTimeout, $"{_options.HandshakeTimeout}{(IsBeingDecided ? ", the authenticator did not answer" : "")}");
        }
    }

    private async ValueTask<AuthenticationResult> AuthenticateAsync(CancellationToken cancellationToken)
    {
        IsBeingDecided = true;
        var result = await PeerAuthentication.DecideAsync(_options, _mechanism, _link.Address, cancellationToken);
        IsBeingDecided = false;
        return result;
    }

    /// <summary>From here on every frame of the peer is a box, read as a whole before anything of it is believed.</summary>
    private void Protect(FrameProtection? protection)
    {
        if (protection is null) return;
        _protection = protection;
        _outbox.Protect(protection);
        var largest = (int)Math.Min(_options.Limits.MaxMessageBytes, _options.MaxEncryptedFrameSize) + protection.Overhead;
        _decoder = new FrameDecoder(new DecoderLimits(largest, 1, largest, largest));
    }

    private async ValueTask SendAllAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            var count = await _link.SendAsync(bytes).AsTask().WaitAsync(cancellationToken);
            CountOut(count);
            bytes = bytes[count..];
        }
    }

    private async Task ReadMessagesAsync(IFrameSink sink, CancellationToken stopping)
    {
        while (true)
        {
            while (!DeliverBuffered(sink))
            {
                // The sink's pause is the backpressure: nothing is read, and the peer's TCP window closes.
                sink.BatchEnd();
                using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, _closing.Token);
                _heartbeat?.Pause();
                await sink.WhenReadyAsync(either.Token);
                _heartbeat?.Resume();
            }

            sink.BatchEnd();
            if (!await ReceiveAsync(_decoder.BytesWanted, stopping)) break;
        }

        if (_decoder.IsInsideMessage || _protectedFrames > 0 || !_buffer.Unread.IsEmpty) throw new ZmtpException($"{Remote} closed the connection inside a message.");
    }

    private async ValueTask<bool> ReceiveAsync(int wanted, CancellationToken cancellationToken)
    {
        _buffer.MakeRoom(wanted);
        var count = await _link.ReceiveAsync(_buffer.Free, cancellationToken);
        if (count == 0)
        {
            return WasReady ? false : throw new ZmtpException($"{Remote} closed the connection during the handshake.");
        }

        _buffer.Received(count);
        CountIn(count);
        if (!WasReady) LastHeard = _options.Time.GetTimestamp();
        _heartbeat?.Alive();
        return true;
    }

    /// <returns>False when the sink asked for a pause.</returns>
    private bool DeliverBuffered(IFrameSink sink)
    {
        while (true)
        {
            var result = _decoder.Next(_buffer.Unread, out var consumed, out var part, out var error);
            var ready = true;
            switch (result)
            {
                case DecodeResult.NeedMoreData:
                    _buffer.Consume(consumed);
                    return true;
                case DecodeResult.Invalid:
                    throw new ZmtpProtocolException(error);
                case DecodeResult.Part or DecodeResult.Command when _protection is not null:
                    ready = TakeProtected(sink, part.Bytes);
                    break;
                case DecodeResult.Command:
                    error = TakeCommand(part.Bytes);
                    if (error != ProtocolError.None) throw new ZmtpProtocolException(error);
                    break;
                default:
                    ready = TakePart(sink, part);
                    break;
            }

            _buffer.Consume(consumed);
            if (!ready) return false;
        }
    }

    private bool TakeProtected(IFrameSink sink, ReadOnlySpan<byte> box)
    {
        var error = _protection!.TryOpen(box, out var flags, out var body);
        var more = (flags & FrameFlags.More) != 0;
        if (error == ProtocolError.None && (flags & FrameFlags.Command) != 0) error = TakeCommand(body);
        else if (error == ProtocolError.None) error = CountProtected(body.Length, more);
        if (error != ProtocolError.None) throw new ZmtpProtocolException(error);
        if ((flags & FrameFlags.Command) != 0) return true;
        var ready = true;
        var at = 0;
        do
        {
            var piece = body.Length <= _options.StreamThreshold ? body : body.Slice(at, Math.Min(_options.StreamThreshold, body.Length - at));
            var isFirst = at == 0;
            at += piece.Length;
            ready &= TakePart(sink, new FramePart(piece, body.Length, isFirst, at == body.Length, more));
        }
        while (at < body.Length);
        return ready;
    }

    /// <summary>The limits of a message hold for what is in the boxes; the decoder sees only single ones.</summary>
    private ProtocolError CountProtected(int length, bool more)
    {
        _protectedBytes += length;
        if (_protectedBytes > _options.Limits.MaxMessageBytes) return ProtocolError.FrameTooLarge;
        if (++_protectedFrames > _options.MaxMessageFrames) return ProtocolError.TooManyFrames;
        if (!more) (_protectedBytes, _protectedFrames) = (0, 0);
        return ProtocolError.None;
    }

    private bool TakePart(IFrameSink sink, in FramePart part)
    {
        if (part.EndsMessage) CountMessageIn();
        if (_ownType is not (SocketType.Pub or SocketType.XPub)) return sink.Accept(part);

        // Subscriptions of ZMTP 3.0 peers, and of applications on XSUB sockets, are messages of one frame: 01 or 00 and the topic.
        // Above the threshold a frame may come whole or in pieces, as the network likes; none of those is a subscription.
        if (!_insideUnexpected && part is { IsWhole: true, More: false, FrameLength: > 0 } && part.FrameLength <= _options.StreamThreshold && part.Bytes[0] <= 1)
        {
            var error = Subscribed(part.Bytes[1..], part.Bytes[0] == 1);
            return error == ProtocolError.None ? true : throw new ZmtpProtocolException(error);
        }

        _insideUnexpected = !part.EndsMessage;
        if (_ownType == SocketType.XPub) return sink.Accept(part);
        // CVE-2021-20237: what nobody will read is not kept, and not tolerated without end.
        if (part.EndsMessage && ++_unexpectedMessages > MaxUnexpectedMessages) throw new ZmtpProtocolException(ProtocolError.UnexpectedMessage);
        return true;
    }

    private ProtocolError TakeCommand(ReadOnlySpan<byte> body)
    {
        var error = Command.TryParse(body, out var command);
        if (error != ProtocolError.None) return error;
        // Over WebSocket only its own pings count, and libzmq ignores this one as well.
        if (command.Name.SequenceEqual(CommandNames.Ping) && _form != SessionForm.Zmtp) return ProtocolError.None;
        if (command.Name.SequenceEqual(CommandNames.Ping)) return AnswerPing(command.Data);
        if (_ownType is SocketType.Pub or SocketType.XPub)
        {
            if (command.Name.SequenceEqual(CommandNames.Subscribe)) return Subscribed(command.Data, true);
            if (command.Name.SequenceEqual(CommandNames.Cancel)) return Subscribed(command.Data, false);
        }
        else if (_ownType == SocketType.Radio)
        {
            if (command.Name.SequenceEqual(CommandNames.Join)) return Joined(command.Data, true);
            if (command.Name.SequenceEqual(CommandNames.Leave)) return Joined(command.Data, false);
        }

        // PONG has done its work by arriving; unknown well-formed commands are ignored, as the specification asks.
        return ProtocolError.None;
    }

    private ProtocolError Subscribed(ReadOnlySpan<byte> topic, bool subscribe)
    {
        if (topic.Length > _options.MaxTopicLength) return ProtocolError.TopicTooLong;
        return _owner.PeerSubscribed(this, topic, subscribe) ? ProtocolError.None : ProtocolError.TooManySubscriptions;
    }

    private ProtocolError Joined(ReadOnlySpan<byte> group, bool join)
    {
        if (group.Length > RadioSocket.MaxGroupLength) return ProtocolError.GroupTooLong;
        return _owner.PeerSubscribed(this, group, join) ? ProtocolError.None : ProtocolError.TooManySubscriptions;
    }

    private void SendPong()
    {
        Span<byte> pong = stackalloc byte[16];
        _outbox.SendControl(pong[..Command.WriteFrame(pong, CommandNames.Pong, [])], exempt: false, forLink: true);
    }

    private ProtocolError AnswerPing(ReadOnlySpan<byte> data)
    {
        if (data.Length is < 2 or > 18) return ProtocolError.MalformedPing;
        _heartbeat = Heartbeat.WithTimeToLive(_heartbeat, this, _options, System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(data));
        Span<byte> pong = stackalloc byte[32];
        var length = Command.WriteFrame(pong, CommandNames.Pong, data[2..]);
        _outbox.SendControl(pong[..length], exempt: false);
        return ProtocolError.None;
    }
}
