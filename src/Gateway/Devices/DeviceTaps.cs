using System.Threading.Channels;
using Zmtp.Proxies;

namespace Gateway.Devices;

/// <summary>Those who watch one device. While there are none the device is not looked at.</summary>
/// <remarks>
/// The thread that moves a message copies what is to be shown of it, once for all watchers; a loop beside makes the text, once for all who
/// want the same, and hands it out. Copies that wait are bounded in number and bytes; what finds no room is skipped.
/// </remarks>
internal sealed class DeviceTaps : IAsyncDisposable
{
    /// <summary>Most watchers of one device.</summary>
    public const int Most = 8;

    private const int MaxWaiting = 256;
    private const int MaxWaitingBytes = 1 << 20;

    private readonly Lock _gate = new();
    private readonly Device _device;
    private readonly TimeProvider _time;
    private readonly Channel<TapCapture> _captures =
        Channel.CreateBounded<TapCapture>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly Task _telling;
    private TapWatcher[] _watchers = [];
    private long _waitingBytes;
    private long _encoded;
    private bool _isOver;

    public DeviceTaps(Device device, TimeProvider time)
    {
        (_device, _time) = (device, time);
        _telling = TellAsync();
    }

    /// <summary>Number of watchers.</summary>
    public int Count => _watchers.Length;

    /// <summary>Texts made so far.</summary>
    public long Encoded => Volatile.Read(ref _encoded);

    /// <summary>Begins to watch.</summary>
    /// <param name="maxBytes">Bytes shown of a frame.</param>
    /// <param name="perSecond">Most messages shown in a second.</param>
    /// <param name="watcher">With Watching: what it sees.</param>
    public TapAdmission TryAdd(int maxBytes, int perSecond, out TapWatcher? watcher)
    {
        watcher = null;
        lock (_gate)
        {
            if (_isOver) return TapAdmission.Gone;
            if (_watchers.Length == Most) return TapAdmission.Full;
            watcher = new TapWatcher(maxBytes, perSecond, _time);
            _watchers = [.. _watchers, watcher];
            if (_watchers.Length == 1) _device.Watch(Show);
        }

        return TapAdmission.Watching;
    }

    /// <summary>Ends the watching.</summary>
    public void Remove(TapWatcher watcher)
    {
        lock (_gate)
        {
            _watchers = [.. _watchers.Where(other => other != watcher)];
            if (_watchers.Length == 0) _device.Watch(null);
        }
    }

    /// <summary>The device is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        TapWatcher[] left;
        lock (_gate)
        {
            _isOver = true;
            left = _watchers;
        }

        _captures.Writer.TryComplete();
        foreach (var watcher in left) watcher.End();
        await _telling;
    }

    private void Show(ProxyDirection direction, ProxyMessage message)
    {
        List<TapTurn>? turns = null;
        var maxBytes = 0;
        var now = _time.GetTimestamp();
        foreach (var watcher in _watchers)
        {
            if (!watcher.Wants(now, out var seq)) continue;
            (turns ??= new List<TapTurn>(Most)).Add(new TapTurn(watcher, seq));
            maxBytes = Math.Max(maxBytes, watcher.MaxBytes);
        }

        // What nobody shows, or nobody has room for, costs no copy.
        if (turns is null || Volatile.Read(ref _waitingBytes) >= MaxWaitingBytes) return;
        var capture = TapCapture.Of(direction, message, maxBytes, _time.GetUtcNow(), turns);
        Interlocked.Add(ref _waitingBytes, capture.Bytes);
        if (!_captures.Writer.TryWrite(capture)) Interlocked.Add(ref _waitingBytes, -capture.Bytes);
    }

    private async Task TellAsync()
    {
        var texts = new Dictionary<int, byte[]>();
        await foreach (var capture in _captures.Reader.ReadAllAsync())
        {
            Interlocked.Add(ref _waitingBytes, -capture.Bytes);
            texts.Clear();
            foreach (var (watcher, seq) in capture.Turns)
            {
                if (!texts.TryGetValue(watcher.MaxBytes, out var text))
                {
                    texts[watcher.MaxBytes] = text = capture.Describe(watcher.MaxBytes);
                    Interlocked.Increment(ref _encoded);
                }

                watcher.Offer(seq, text);
            }
        }
    }
}

/// <summary>What became of the wish to watch.</summary>
internal enum TapAdmission
{
    /// <summary>It sees messages from now on.</summary>
    Watching,

    /// <summary>The device was removed.</summary>
    Gone,

    /// <summary>As many as may watch do so already.</summary>
    Full,
}
