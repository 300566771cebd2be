using System.Buffers;

namespace Gateway.WebSockets;

/// <summary>Puts the pieces of a message together. Holds memory only between the first and the last piece of one, as much as has arrived.</summary>
/// <remarks>The reader's limit bounds it. A message that arrives in one piece is not copied.</remarks>
internal sealed class WebSocketMessageBuffer : IDisposable
{
    private byte[] _bytes = [];
    private int _length;

    /// <summary>Takes a piece.</summary>
    /// <param name="message">The whole message when this was its end; valid until <see cref="Clear"/> and while <paramref name="piece"/> is.</param>
    /// <returns>Whether the message is whole.</returns>
    public bool Append(ReadOnlyMemory<byte> piece, bool endOfMessage, out ReadOnlyMemory<byte> message)
    {
        message = piece;
        if (endOfMessage && _length == 0) return true;
        if (_length + piece.Length > _bytes.Length) Grow(_length + piece.Length);
        piece.Span.CopyTo(_bytes.AsSpan(_length));
        _length += piece.Length;
        message = _bytes.AsMemory(0, _length);
        return endOfMessage;
    }

    /// <summary>Gives the memory back; call it when the message is done with.</summary>
    public void Clear()
    {
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        (_bytes, _length) = ([], 0);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => Clear();

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, _bytes.Length * 2));
        _bytes.AsSpan(0, _length).CopyTo(larger);
        var length = _length;
        Clear();
        (_bytes, _length) = (larger, length);
    }
}
