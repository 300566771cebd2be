using System.Globalization;
using System.Text;
using System.Threading.Channels;

namespace Gateway.Devices;

/// <summary>One who watches a device: at most so many messages a second and so many bytes of each frame.</summary>
/// <remarks>What comes too fast, or finds the watcher's connection behind, is skipped; the next message shown says how many were.</remarks>
internal sealed class TapWatcher(int maxBytes, int perSecond, TimeProvider time)
{
    private const int MaxWaiting = 256;
    private const int MaxWaitingBytes = 1 << 20;

    private readonly Lock _gate = new();
    private readonly Channel<Shown> _shown = Channel.CreateBounded<Shown>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private long _second = time.GetTimestamp();
    private int _inSecond;
    private long _seen;
    private long _lastShown;
    private long _waitingBytes;
    private volatile bool _isBehind;

    /// <summary>Bytes shown of a frame.</summary>
    public int MaxBytes => maxBytes;

    /// <summary>Bytes that wait to be sent; the texts are shared with other watchers.</summary>
    public long WaitingBytes => Volatile.Read(ref _waitingBytes);

    /// <summary>Nothing more is shown.</summary>
    public void End() => _shown.Writer.TryComplete();

    /// <summary>A message passes.</summary>
    /// <param name="now">Timestamp.</param>
    /// <param name="seq">Its number, for <see cref="Offer"/>.</param>
    /// <returns>Whether it is to be shown.</returns>
    public bool Wants(long now, out long seq)
    {
        lock (_gate)
        {
            seq = ++_seen;
            if (time.GetElapsedTime(_second, now) >= TimeSpan.FromSeconds(1)) (_second, _inSecond) = (now, 0);
            // Who had no room is not copied or written for until half of what waits has gone.
            if (_isBehind && WaitingBytes > MaxWaitingBytes / 2) return false;
            _isBehind = false;
            if (_inSecond >= perSecond) return false;
            _inSecond++;
            return true;
        }
    }

    /// <summary>The text of a message that was wanted; called by one thread.</summary>
    public void Offer(long seq, byte[] text)
    {
        // The first is taken whatever its size, which is bounded where the message was copied.
        var waiting = Volatile.Read(ref _waitingBytes);
        if (waiting > 0 && waiting + text.Length > MaxWaitingBytes)
        {
            _isBehind = true;
            return;
        }

        Interlocked.Add(ref _waitingBytes, text.Length);
        if (_shown.Writer.TryWrite(new Shown(seq, seq - _lastShown - 1, text))) _lastShown = seq;
        else Interlocked.Add(ref _waitingBytes, -text.Length);
    }

    /// <summary>Hands out what is to be sent, oldest first, until the device is gone or the sender says false.</summary>
    /// <param name="send">Sends one JSON text, whose bytes are valid until it completes.</param>
    /// <returns>False when the sender said so.</returns>
    public async Task<bool> SendAllAsync(Func<ReadOnlyMemory<byte>, ValueTask<bool>> send)
    {
        await foreach (var (seq, skipped, text) in _shown.Reader.ReadAllAsync())
        {
            // Only the number and the gap are the watcher's own; they stand in front of what all share.
            var head = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"seq":{{seq}},"skipped":{{skipped}},"""));
            byte[] whole = [.. head, .. text];
            var isSent = await send(whole);
            Interlocked.Add(ref _waitingBytes, -text.Length);
            if (!isSent) return false;
        }

        return true;
    }

    private readonly record struct Shown(long Seq, long Skipped, byte[] Text);
}
