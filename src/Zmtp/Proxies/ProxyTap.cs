using Zmtp.Sockets;

namespace Zmtp.Proxies;

/// <summary>Sees messages pass, in the read loop that moves them: it must be short, not wait and not throw. Several threads may call at once.</summary>
public delegate void ProxyTap(ProxyDirection direction, ProxyMessage message);

/// <summary>A message that passes a proxy; valid during the call.</summary>
public readonly ref struct ProxyMessage
{
    private readonly Parcel _parcel;
    private readonly long _tailLength;

    internal ProxyMessage(in Parcel parcel)
        : this(parcel, parcel.Tail.Length)
    {
    }

    /// <param name="parcel">Its tail is what has come of the last frame so far.</param>
    /// <param name="tailLength">Length of that frame.</param>
    internal ProxyMessage(in Parcel parcel, long tailLength)
    {
        _parcel = parcel;
        _tailLength = tailLength;
    }

    /// <summary>Number of frames, a ROUTER's identity included.</summary>
    public int Count => _parcel.Count;

    /// <summary>Bytes of all frames.</summary>
    public long Length => _parcel.Length - _parcel.Tail.Length + _tailLength;

    /// <summary>The bytes of a frame; of one that is still arriving, those that are here.</summary>
    public ReadOnlySpan<byte> this[int index] => IsTail(index) ? _parcel.Tail : _parcel.Head[_parcel.From + index].Span;

    /// <summary>The length of a frame in bytes.</summary>
    public long LengthOf(int index) => IsTail(index) ? _tailLength : _parcel.Head[_parcel.From + index].Length;

    private bool IsTail(int index) => _parcel.HasTail && index == Count - 1;
}
