using System.Buffers.Binary;
using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>Finds out that a peer is gone although its connection looks open. Life is any received byte, not a whole frame (a slow large frame is life).</summary>
internal sealed class Heartbeat : IDisposable
{
    private readonly WirePeer _peer;
    private readonly TimeProvider _time;
    private readonly byte[] _ping;
    private readonly TimeSpan _interval;
    private readonly TimeSpan _timeout;
    private readonly ITimer? _timer;
    private ITimer? _timeToLiveTimer;
    private ushort _timeToLive;
    private long _lastSeen;
    private long _sent;
    private bool _alive = true;
    private bool _aliveForTimeToLive = true;
    private bool _paused;

    private Heartbeat(WirePeer peer, ZmtpOptions options, bool pings)
    {
        (_peer, _time) = (peer, options.Time);
        _timeout = options.HeartbeatTimeout > TimeSpan.Zero ? options.HeartbeatTimeout : options.HeartbeatInterval;
        _lastSeen = _time.GetTimestamp();
        Span<byte> data = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)Math.Min(655, options.HeartbeatTtl.TotalMilliseconds / 100));
        _ping = new byte[Command.FrameSize(CommandNames.Ping.Length, data.Length)];
        Command.WriteFrame(_ping, CommandNames.Ping, data);
        _interval = options.HeartbeatInterval;
        if (!pings || _interval <= TimeSpan.Zero) return;
        _timer = _time.CreateTimer(static h => Guard((Heartbeat)h!, static h => h.Tick()), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        _timer.Change(_interval, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Starts pinging, or answers null when there is nothing to do.</summary>
    public static Heartbeat? Start(WirePeer peer, ZmtpOptions options, bool pings) =>
        pings && options.HeartbeatInterval > TimeSpan.Zero ? new Heartbeat(peer, options, pings) : null;

    /// <summary>The peer asked us, by the ttl of a PING, to give it up after so many tenths of a second of silence.</summary>
    public static Heartbeat? WithTimeToLive(Heartbeat? heartbeat, WirePeer peer, ZmtpOptions options, ushort tenths)
    {
        if (tenths == (heartbeat?._timeToLive ?? 0)) return heartbeat;
        heartbeat ??= new Heartbeat(peer, options, pings: false);
        heartbeat._timeToLive = tenths;
        var every = tenths == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(tenths * 100);
        heartbeat._timeToLiveTimer?.Change(every, every);
        heartbeat._timeToLiveTimer ??=
            options.Time.CreateTimer(static h => Guard((Heartbeat)h!, static h => h.TimeToLiveTick()), heartbeat, every, every);
        return heartbeat;
    }

    /// <summary>Bytes arrived.</summary>
    public void Alive() => (_alive, _aliveForTimeToLive) = (true, true);

    /// <summary>We stopped reading; silence is ours.</summary>
    public void Pause() => _paused = true;

    /// <summary>We read again.</summary>
    public void Resume()
    {
        Alive();
        _paused = false;
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _timeToLiveTimer?.Dispose();
    }

    /// <summary>The top of a timer's thread, where an exception would end the process: it ends the connection instead.</summary>
    private static void Guard(Heartbeat heartbeat, Action<Heartbeat> tick)
    {
        try
        {
            tick(heartbeat);
        }
        catch (Exception e)
        {
            Fail(heartbeat._peer, e);
        }

        static void Fail(WirePeer peer, Exception e)
        {
            try
            {
                peer.Abort(e);
            }
            catch (Exception)
            {
                // The reason is noted and the read loop told; the link did not even take its end.
                return;
            }
        }
    }

    private void Tick()
    {
        var left = _timeout;
        // Inside a frame of ours no PING can be sent and so no PONG be expected: there bytes that the peer takes are life, and so is
        // that it has taken all that we had. That it takes nothing is silence.
        var sent = _peer.BytesOut;
        var takes = _peer.IsStreaming && (sent != _sent || !_peer.IsTakingFrame);
        _sent = sent;
        if (_alive || _paused || takes)
        {
            _alive = false;
            _lastSeen = _time.GetTimestamp();
        }
        else
        {
            left -= _time.GetElapsedTime(_lastSeen);
        }

        if (left <= TimeSpan.Zero)
        {
            _peer.Abort(new ZmtpProtocolException(ProtocolError.HeartbeatTimeout, _peer.IsStreaming
                ? $"nothing of a streamed frame taken for {_timeout}" : $"nothing received for {_timeout}"));
            return;
        }

        _peer.SendPing(_ping);
        // Never later than the timeout, in whole milliseconds, which is what timers have: one that is a moment early must not cost an interval.
        left = TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds));
        _timer!.Change(left < _interval ? left : _interval, Timeout.InfiniteTimeSpan);
    }

    private void TimeToLiveTick()
    {
        if (_aliveForTimeToLive || _paused) _aliveForTimeToLive = false;
        else _peer.Abort(new ZmtpProtocolException(ProtocolError.HeartbeatTimeout, $"the peer's time to live of {_timeToLive / 10.0} s ran out"));
    }
}
