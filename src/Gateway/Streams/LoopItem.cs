namespace Gateway.Streams;

/// <summary>Something that a <see cref="SenderLoop"/> runs: a lane that has news, or a subscriber to whom something happened.</summary>
internal abstract class LoopItem
{
    private int _isPosted;

    /// <summary>The item posted before; only the loop reads and writes this.</summary>
    internal LoopItem? Below { get; set; }

    /// <summary>Does what is to be done, on the loop's thread; must not block, and should not throw.</summary>
    public abstract void Run();

    /// <summary>
    /// <see cref="Run"/> has thrown, which was logged: what the item stands for ends, the loop goes on. On the loop's thread.
    /// </summary>
    public virtual void Fail()
    {
    }

    /// <returns>Whether the caller is to post the item; else it is posted already and will run after this moment.</returns>
    internal bool TryPost() => Interlocked.Exchange(ref _isPosted, 1) == 0;

    internal void Unpost() => Volatile.Write(ref _isPosted, 0);
}
