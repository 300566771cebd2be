namespace Gateway.Streams;

/// <summary>
/// A thread that sends to its share of the subscribers. All state of a lane and of its subscribers belongs to one loop, so there is no lock
/// per subscriber and exactly one writer per connection.
/// </summary>
/// <remarks>
/// A thread of its own and not the pool's: under load a loop never rests, and two of them would starve the pool of a machine with two cores.
/// An idle loop sleeps; posting to it while it runs costs one exchange.
/// </remarks>
internal sealed class SenderLoop : IDisposable
{
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private LoopItem? _posted;
    private int _isWaiting;
    private volatile bool _isStopping;

    public SenderLoop(int number, ILogger logger)
    {
        _logger = logger;
        _thread = new Thread(Run) { IsBackground = true, Name = $"sender {number}" };
        _thread.Start();
    }

    /// <summary>Has the item run soon. Any thread; an item that is posted already is not posted twice.</summary>
    public void Post(LoopItem item)
    {
        if (!item.TryPost()) return;
        LoopItem? top;
        do
        {
            top = Volatile.Read(ref _posted);
            item.Below = top;
        }
        while (Interlocked.CompareExchange(ref _posted, item, top) != top);
        if (Volatile.Read(ref _isWaiting) == 1 && Interlocked.Exchange(ref _isWaiting, 0) == 1) _wake.Set();
    }

    /// <summary>Ends the thread; what is posted before still runs.</summary>
    public void Dispose()
    {
        _isStopping = true;
        _wake.Set();
        if (Thread.CurrentThread != _thread) _thread.Join();
        _wake.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            if (Interlocked.Exchange(ref _posted, null) is { } top)
            {
                RunAll(InOrder(top));
                continue;
            }

            if (_isStopping) return;
            // Said before the last look, so that whoever posts after that look sees it.
            Interlocked.Exchange(ref _isWaiting, 1);
            if (Volatile.Read(ref _posted) is null) _wake.WaitOne();
            Volatile.Write(ref _isWaiting, 0);
        }
    }

    private static LoopItem InOrder(LoopItem top)
    {
        LoopItem? first = null;
        for (var item = top; item is not null;)
        {
            var below = item.Below;
            item.Below = first;
            (first, item) = (item, below);
        }

        return first!;
    }

    private void RunAll(LoopItem first)
    {
        for (var item = first; item is not null;)
        {
            var next = item.Below;
            item.Below = null;
            // From here on it can be posted again: what happens while it runs is not missed.
            item.Unpost();
            Guard(item, static item => item.Run());
            item = next;
        }
    }

    /// <summary>Does something for an item. A defect in one must not end the sending to all: it is logged, and the item ends.</summary>
    public void Guard(LoopItem item, Action<LoopItem> step)
    {
        try
        {
            step(item);
        }
#pragma warning disable CA1031 // The top of the thread.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Tell(e);
            Try(item.Fail);
        }
    }

    /// <summary>Logs what one connection ran into. Any thread; never throws.</summary>
    public void Tell(Exception failure) => Try(() => _logger.SenderFailed(failure));

    private static void Try(Action action)
    {
        try
        {
            action();
        }
#pragma warning disable CA1031 // Said already, or the log itself fails: there is nothing left to try.
        catch (Exception)
#pragma warning restore CA1031
        {
            return;
        }
    }
}
