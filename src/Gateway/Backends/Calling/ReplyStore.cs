namespace Gateway.Backends.Calling;

/// <summary>
/// Bounds what all replies of one backend that are put aside for slow clients hold together, in memory and temporary files.
/// </summary>
/// <param name="maxBytes">Beyond it a lane waits for its client again.</param>
internal sealed class ReplyStore(long maxBytes)
{
    private long _held;

    /// <summary>Bytes held.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>Counts bytes that are there already.</summary>
    /// <returns>False when that is more than allowed: nothing further should come before some went.</returns>
    public bool Add(long bytes) => Interlocked.Add(ref _held, bytes) <= maxBytes;

    /// <summary>Bytes have gone.</summary>
    public void Remove(long bytes) => Interlocked.Add(ref _held, -bytes);
}
