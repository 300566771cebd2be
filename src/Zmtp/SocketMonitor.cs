using System.Threading.Channels;

namespace Zmtp;

/// <summary>
/// What happens to a socket's connections from the call on that made this, to be read with <c>await foreach</c>, which ends when the socket is
/// closed. Events that find the monitor full are lost and counted: a monitor never holds up a socket.
/// </summary>
public sealed class SocketMonitor : IAsyncEnumerable<SocketEvent>, IDisposable
{
    private readonly Channel<SocketEvent> _events;
    private readonly Action<SocketMonitor> _remove;
    private long _lost;

    internal SocketMonitor(int capacity, Action<SocketMonitor> remove)
    {
        _events = Channel.CreateBounded<SocketEvent>(capacity);
        _remove = remove;
    }

    /// <summary>Events that were lost because nobody read.</summary>
    public long Lost => Volatile.Read(ref _lost);

    /// <summary>The events in their order, each to one reader.</summary>
    public async IAsyncEnumerator<SocketEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (var e in _events.Reader.ReadAllAsync(cancellationToken)) yield return e;
    }

    /// <summary>Stops listening; what was not read yet can still be read.</summary>
    public void Dispose()
    {
        _remove(this);
        Complete();
    }

    internal void Tell(in SocketEvent e)
    {
        if (!_events.Writer.TryWrite(e)) Interlocked.Increment(ref _lost);
    }

    internal void Complete() => _events.Writer.TryComplete();
}
