using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Zmtp.Sockets;

namespace Zmtp;

/// <summary>One or more frames in pooled memory, sent and received as a whole.</summary>
/// <remarks>
/// Made with one reference, which the receiver or maker owns: dispose it (or hand it to a <c>SendAsync</c>, which takes it over). Retain
/// hands out another. The memory of a message that was disposed the last time belongs to somebody else.
/// </remarks>
public sealed class Message : IDisposable, IFrameWriter
{
    private const int MaxPooled = 1024;
    private const int MaxKept = 16 * 1024;
    private static readonly ConcurrentQueue<Message> Pool = new();
    private static int _pooled;

    private byte[] _buffer = [];
    private int[] _ends = new int[4];
    private int _references;

    private Message()
    {
    }

    /// <summary>Number of frames.</summary>
    public int Count { get; private set; }

    /// <summary>Sum of the frames' bytes.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes of one frame.</summary>
    public ReadOnlyMemory<byte> this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            var start = index == 0 ? 0 : _ends[index - 1];
            return _buffer.AsMemory(start, _ends[index] - start);
        }
    }

    /// <summary>An empty message to add frames to; pooled.</summary>
    public static Message Create()
    {
        if (Pool.TryDequeue(out var message)) Interlocked.Decrement(ref _pooled);
        else message = new Message();
        message._references = 1;
        return message;
    }

    /// <summary>A message of these frames; the bytes are copied.</summary>
    public static Message Of(params ReadOnlySpan<byte[]> frames)
    {
        var message = Create();
        foreach (var frame in frames) message.Add(frame);
        return message;
    }

    /// <summary>A message of these frames as UTF-8.</summary>
    public static Message Of(params ReadOnlySpan<string> frames)
    {
        var message = Create();
        foreach (var frame in frames) message.Add(Encoding.UTF8.GetBytes(frame));
        return message;
    }

    /// <summary>Adds a frame; the bytes are copied.</summary>
    public void Add(ReadOnlySpan<byte> frame)
    {
        AppendBytes(frame);
        EndFrame();
    }

    /// <summary>The text of a frame, read as UTF-8.</summary>
    public string Text(int index) => Encoding.UTF8.GetString(this[index].Span);

    /// <summary>Hands out one more reference.</summary>
    public Message Retain()
    {
        // Only a holder may retain, so the count was at least one; anything else is a use after the last release.
        ObjectDisposedException.ThrowIf(Interlocked.Increment(ref _references) < 2, this);
        return this;
    }

    /// <summary>Gives a reference back; the last one returns the memory to the pool.</summary>
    public void Dispose()
    {
        var left = Interlocked.Decrement(ref _references);
        ObjectDisposedException.ThrowIf(left < 0, this);
        if (left > 0) return;
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, Length, Count) = ([], 0, 0);
        if (_ends.Length > 64) _ends = new int[4];
        if (Interlocked.Increment(ref _pooled) > MaxPooled) Interlocked.Decrement(ref _pooled);
        else Pool.Enqueue(this);
    }

    /// <summary>Empties a message that nobody else holds, to be filled again.</summary>
    /// <returns>False when it is shared, or its memory is too large to keep.</returns>
    internal bool TryReset()
    {
        if (Volatile.Read(ref _references) != 1 || _buffer.Length > MaxKept) return false;
        (Length, Count) = (0, 0);
        return true;
    }

    void IFrameWriter.WriteFrame(ReadOnlySpan<byte> body, bool more) => Add(body);

    void IFrameWriter.WriteFrame(in ReadOnlySequence<byte> body, bool more)
    {
        foreach (var segment in body) AppendBytes(segment.Span);
        EndFrame();
    }

    /// <summary>Writes all frames, in order.</summary>
    public void WriteTo(IFrameWriter writer)
    {
        for (var i = 0; i < Count; i++) writer.WriteFrame(this[i].Span, i < Count - 1);
    }

    /// <summary>Adds bytes to the frame that is being made. The buffer grows with the bytes, never with an announced length.</summary>
    internal void AppendBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        var needed = checked(Length + bytes.Length);
        if (needed > _buffer.Length) Grow(needed);
        bytes.CopyTo(_buffer.AsSpan(Length));
        Length = needed;
    }

    /// <summary>Ends the frame that is being made.</summary>
    internal void EndFrame()
    {
        if (Count == _ends.Length) Array.Resize(ref _ends, Count * 2);
        _ends[Count++] = Length;
    }

    private void Grow(int needed)
    {
        var bigger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(needed, 2L * Length), Array.MaxLength));
        _buffer.AsSpan(0, Length).CopyTo(bigger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = bigger;
    }
}
