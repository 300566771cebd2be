using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Zmtp.Sockets;

namespace Zmtp;

/// <summary>One or more frames in pooled memory, or in the caller's, sent and received as a whole.</summary>
/// <remarks>
/// Made with one reference, which the receiver or maker owns: dispose it (or hand it to a <c>SendAsync</c>, which takes it over). Retain
/// hands out another. The memory of a message that was disposed the last time belongs to somebody else.
/// </remarks>
public sealed class Message : IDisposable, IFrameWriter
{
    private const int MaxPooled = 1024;
    private const int MaxKept = 16 * 1024;
    // Below this a copy costs less than a system call of its own.
    internal const int ByReference = 16 * 1024;
    private static readonly ConcurrentQueue<Message> Pool = new();
    private static int _pooled;

    private byte[] _buffer = [];
    private int[] _ends = new int[4];
    private Foreign[] _foreign = [];
    private int _used;
    private int _references;

    private Message()
    {
    }

    /// <summary>Number of frames.</summary>
    public int Count { get; private set; }

    /// <summary>Sum of the frames' bytes.</summary>
    public int Length { get; private set; }

    /// <summary>Who sent it, for a message that was received: address, user, identity and announced properties. Null for others.</summary>
    public Peer? Peer { get; internal set; }

    /// <summary>The bytes of one frame.</summary>
    public ReadOnlyMemory<byte> this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            if (index < _foreign.Length && _foreign[index].Owner is not null) return _foreign[index].Memory;
            var start = index == 0 ? 0 : _ends[index - 1];
            return _buffer.AsMemory(start, _ends[index] - start);
        }
    }

    /// <summary>The bytes of one frame, also counted from the end: <c>message[^1]</c> is the last frame.</summary>
    public ReadOnlyMemory<byte> this[Index index] => this[index.GetOffset(Count)];

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

    /// <summary>Adds a frame that refers to the caller's memory: from 16 KiB on it goes to the system from there, with no copy (but on CURVE connections).</summary>
    /// <param name="frame">Must not change until <paramref name="owner"/> is disposed.</param>
    /// <param name="owner">Disposed once, when the frame was sent to all peers or dropped; on any thread, so it must be quick.</param>
    public void AddMemory(ReadOnlyMemory<byte> frame, IDisposable owner)
    {
        ArgumentNullException.ThrowIfNull(owner);
        Length = checked(Length + frame.Length);
        EndFrame();
        if (_foreign.Length < Count) Array.Resize(ref _foreign, _ends.Length);
        _foreign[Count - 1] = new Foreign(frame, owner);
    }

    /// <summary>Adds a frame that is the memory of numbers (or other plain values), in the byte order of this machine; as <see cref="AddMemory"/>.</summary>
    /// <param name="values">Must not change until <paramref name="released"/> is called.</param>
    /// <param name="released">Called once, when the frame was sent to all peers or dropped; on any thread, so it must be quick. Or null.</param>
    public void AddValues<T>(ReadOnlyMemory<T> values, Action? released = null)
        where T : unmanaged
    {
        var memory = new ValueMemory<T>(values, released);
        AddMemory(memory.Memory, memory);
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
        ReleaseForeign();
        (_buffer, _used, Length, Count, Peer) = ([], 0, 0, 0, null);
        if (_foreign.Length > 64) _foreign = [];
        if (_ends.Length > 64) _ends = new int[4];
        if (Interlocked.Increment(ref _pooled) > MaxPooled) Interlocked.Decrement(ref _pooled);
        else Pool.Enqueue(this);
    }

    /// <summary>Empties a message that nobody else holds, to be filled again.</summary>
    /// <returns>False when it is shared, or its memory is too large to keep.</returns>
    internal bool TryReset()
    {
        if (Volatile.Read(ref _references) != 1 || _buffer.Length > MaxKept) return false;
        ReleaseForeign();
        (_used, Length, Count, Peer) = (0, 0, 0, null);
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

    /// <summary>Adds a frame of another message: a large one by reference, which keeps that message; a small one is copied.</summary>
    internal void AddFrame(Message source, int index)
    {
        var frame = source[index];
        if (frame.Length < ByReference) Add(frame.Span);
        else AddMemory(frame, source.Retain());
    }

    /// <summary>Adds bytes to the frame that is being made. The buffer grows with the bytes, never with an announced length.</summary>
    internal void AppendBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        var needed = checked(_used + bytes.Length);
        if (needed > _buffer.Length) Grow(needed);
        bytes.CopyTo(_buffer.AsSpan(_used));
        _used = needed;
        Length = checked(Length + bytes.Length);
    }

    /// <summary>Ends the frame that is being made.</summary>
    internal void EndFrame()
    {
        if (Count == _ends.Length) Array.Resize(ref _ends, Count * 2);
        _ends[Count++] = _used;
    }

    private void ReleaseForeign()
    {
        if (_foreign.Length == 0) return;
        foreach (ref var foreign in _foreign.AsSpan(0, Math.Min(Count, _foreign.Length)))
        {
            foreign.Owner?.Dispose();
            foreign = default;
        }
    }

    private void Grow(int needed)
    {
        var bigger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(needed, 2L * _used), Array.MaxLength));
        _buffer.AsSpan(0, _used).CopyTo(bigger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = bigger;
    }

    private record struct Foreign(ReadOnlyMemory<byte> Memory, IDisposable? Owner);
}
