using Zmtp.Proxies;

namespace Gateway.Devices;

/// <summary>Those who watch one device. While there are none the device is not looked at.</summary>
internal sealed class DeviceTaps(Device device, TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private TapWatcher[] _watchers = [];
    private bool _isOver;

    /// <summary>Number of watchers.</summary>
    public int Count => _watchers.Length;

    /// <summary>Begins to watch.</summary>
    /// <param name="maxBytes">Bytes shown of a frame.</param>
    /// <param name="perSecond">Most messages shown in a second.</param>
    /// <returns>Null when the device was removed.</returns>
    public TapWatcher? Add(int maxBytes, int perSecond)
    {
        var watcher = new TapWatcher(maxBytes, perSecond, time);
        lock (_gate)
        {
            if (_isOver) return null;
            _watchers = [.. _watchers, watcher];
            if (_watchers.Length == 1) device.Watch(Show);
        }

        return watcher;
    }

    /// <summary>Ends the watching.</summary>
    public void Remove(TapWatcher watcher)
    {
        lock (_gate)
        {
            _watchers = [.. _watchers.Where(other => other != watcher)];
            if (_watchers.Length == 0) device.Watch(null);
        }
    }

    /// <summary>The device is gone.</summary>
    public void Dispose()
    {
        TapWatcher[] left;
        lock (_gate)
        {
            _isOver = true;
            left = _watchers;
        }

        foreach (var watcher in left) watcher.End();
    }

    private void Show(ProxyDirection direction, ProxyMessage message)
    {
        foreach (var watcher in _watchers) watcher.Offer(direction, message);
    }
}
