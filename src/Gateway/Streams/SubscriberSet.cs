using Gateway.WebSockets;

namespace Gateway.Streams;

/// <summary>The WebSocket subscribers of one route: who is told when the route goes away.</summary>
internal sealed class SubscriberSet
{
    private readonly Lock _gate = new();
    private readonly List<FramedSubscriber> _members = [];
    private bool _isClosing;

    /// <summary>Subscribers now.</summary>
    public int Count
    {
        get { lock (_gate) return _members.Count; }
    }

    /// <summary>Adds a subscriber; while the set is being closed it is closed at once.</summary>
    public void Add(FramedSubscriber subscriber)
    {
        bool isClosing;
        lock (_gate)
        {
            subscriber.Slot = _members.Count;
            _members.Add(subscriber);
            isClosing = _isClosing;
        }

        if (isClosing) GoAway(subscriber);
    }

    /// <summary>Takes a subscriber out.</summary>
    public void Remove(FramedSubscriber subscriber)
    {
        lock (_gate)
        {
            var last = _members[^1];
            last.Slot = subscriber.Slot;
            _members[last.Slot] = last;
            _members.RemoveAt(_members.Count - 1);
        }
    }

    /// <summary>Closes all with 1001, in shares: whoever reconnects does not do so together with all others.</summary>
    /// <param name="shares">Number of shares; 1 for all at once.</param>
    /// <param name="pause">Called between two shares.</param>
    public async Task CloseAsync(int shares, Func<Task> pause)
    {
        FramedSubscriber[] all;
        lock (_gate)
        {
            _isClosing = true;
            all = [.. _members];
        }

        // A few need no spreading.
        const int Few = 100;
        var share = Math.Max(Few, (all.Length + shares - 1) / shares);
        for (var i = 0; i < all.Length; i++)
        {
            if (i > 0 && i % share == 0) await pause();
            GoAway(all[i]);
        }
    }

    private static void GoAway(FramedSubscriber subscriber) => subscriber.Close(WebSocketCloseCode.GoingAway, "shutting down; reconnect");
}
