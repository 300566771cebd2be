using System.Buffers;
using System.Runtime.InteropServices;

namespace Gateway.Streams;

/// <summary>Collects the parts of one peer's message until it is complete, in pooled segments, and no more than a message may have.</summary>
/// <remarks>Of a message in whole frames only those before the last are copied; the last is used where it lies. Belongs to one read loop.</remarks>
internal sealed class MessageAssembly(long maxMessageBytes)
{
    private const int MaxFrames = 1024;
    private const int SmallPiece = 4 * 1024;
    private const int LargePiece = 64 * 1024;

    private readonly List<Piece> _pieces = [];
    private readonly Stack<Piece> _spare = new();
    private readonly List<(long Start, long Length)> _frames = [];
    private long _length;
    private long _frameStart;

    /// <summary>Number of complete frames.</summary>
    public int FrameCount => _frames.Count;

    /// <summary>Whether nothing of a message is here.</summary>
    public bool IsEmpty => _length == 0 && _frames.Count == 0;

    /// <summary>Whether the message is too large, by bytes or frames: nothing of it is kept, and the rest is skipped.</summary>
    public bool IsOversize { get; private set; }

    /// <summary>Whether so many bytes more would be too many; then nothing is kept.</summary>
    public bool Refuses(long bytes)
    {
        if (!IsOversize && (_length + bytes > maxMessageBytes || _frames.Count >= MaxFrames))
        {
            Reset();
            IsOversize = true;
        }

        return IsOversize;
    }

    /// <summary>Copies a piece of a frame.</summary>
    public void Add(ReadOnlySpan<byte> bytes, bool endsFrame)
    {
        while (!bytes.IsEmpty)
        {
            if (_pieces.Count == 0 || _pieces[^1].Free == 0) AddPiece(bytes.Length);
            var taken = _pieces[^1].Write(bytes);
            _length += taken;
            bytes = bytes[taken..];
        }

        if (!endsFrame) return;
        _frames.Add((_frameStart, _length - _frameStart));
        _frameStart = _length;
    }

    /// <summary>A complete frame.</summary>
    public FrameBytes Frame(int index)
    {
        var (start, length) = CollectionsMarshal.AsSpan(_frames)[index];
        if (length == 0) return default;
        return new FrameBytes(new ReadOnlySequence<byte>(_pieces[0], 0, _pieces[^1], _pieces[^1].Memory.Length).Slice(start, length));
    }

    /// <summary>Takes the last complete frame as the message's last.</summary>
    public FrameBytes TakeLastFrame()
    {
        var last = Frame(_frames.Count - 1);
        _frames.RemoveAt(_frames.Count - 1);
        return last;
    }

    /// <summary>Forgets the message and gives its memory back, but for one small piece, which the next topic will need.</summary>
    public void Reset()
    {
        for (var i = _pieces.Count - 1; i >= 1 || (i == 0 && _pieces[0].Capacity > SmallPiece); i--)
        {
            _pieces[i].Return();
            _spare.Push(_pieces[i]);
            _pieces.RemoveAt(i);
        }

        if (_pieces.Count == 1) _pieces[0].Clear();
        _frames.Clear();
        (_length, _frameStart, IsOversize) = (0, 0, false);
    }

    /// <summary>Gives all memory back.</summary>
    public void Dispose()
    {
        Reset();
        foreach (var piece in _pieces) piece.Return();
        _pieces.Clear();
    }

    private void AddPiece(int wanted)
    {
        var piece = _spare.TryPop(out var spare) ? spare : new Piece();
        piece.Rent(_pieces.Count == 0 && wanted <= SmallPiece ? SmallPiece : LargePiece, runningIndex: _length);
        if (_pieces.Count > 0) _pieces[^1].LinkTo(piece);
        _pieces.Add(piece);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        private byte[] _array = [];
        private int _written;

        public int Free => _array.Length - _written;

        public int Capacity => _array.Length;

        public void Rent(int size, long runningIndex)
        {
            _array = ArrayPool<byte>.Shared.Rent(size);
            RunningIndex = runningIndex;
        }

        public int Write(ReadOnlySpan<byte> bytes)
        {
            var taken = Math.Min(bytes.Length, Free);
            bytes[..taken].CopyTo(_array.AsSpan(_written));
            _written += taken;
            Memory = _array.AsMemory(0, _written);
            return taken;
        }

        public void LinkTo(Piece next) => Next = next;

        public void Clear()
        {
            _written = 0;
            Memory = default;
            RunningIndex = 0;
            Next = null;
        }

        public void Return()
        {
            ArrayPool<byte>.Shared.Return(_array);
            Clear();
            _array = [];
        }
    }
}
