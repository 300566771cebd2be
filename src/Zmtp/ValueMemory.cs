using System.Buffers;
using System.Runtime.InteropServices;

namespace Zmtp;

/// <summary>The memory of plain values, seen as bytes. Disposed by the message that refers to it.</summary>
internal sealed class ValueMemory<T>(ReadOnlyMemory<T> values, Action? released) : MemoryManager<byte>
    where T : unmanaged
{
    public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(MemoryMarshal.AsMemory(values).Span);

    public override unsafe MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)(values.Length * sizeof(T)), nameof(elementIndex));
        var handle = values.Pin();
        // The handle of the values is ours to hand on; only where it points to is moved.
        return new MemoryHandle((byte*)handle.Pointer + elementIndex, default, new Pinned(handle));
    }

    public override void Unpin()
    {
        // Each handle unpins itself.
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) released?.Invoke();
    }

    private sealed class Pinned(MemoryHandle handle) : IPinnable
    {
        public MemoryHandle Pin(int elementIndex) => throw new NotSupportedException("A handle is pinned once.");

        public void Unpin() => handle.Dispose();
    }
}
