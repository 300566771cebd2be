using System.Runtime.CompilerServices;

namespace Gateway.Tests.TestSupport;

/// <summary>Objects that must be collectable when what they were made for is over.</summary>
internal sealed class LiveObjects
{
    private readonly List<WeakReference> _seen = [];

    public int Count => _seen.Count;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Watch(object thing)
    {
        lock (_seen) _seen.Add(new WeakReference(thing));
    }

    /// <summary>Fails when one of them is still held.</summary>
    public async Task AssertGoneAsync()
    {
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        while (true)
        {
            // What only the stack of a thread still shows is let go when the thread does something else.
            await Task.Yield();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            var held = _seen.Count(reference => reference.IsAlive);
            if (held == 0) return;
            Assert.False(late.IsCancellationRequested, $"{held} of {_seen.Count} objects are still held");
        }
    }
}
