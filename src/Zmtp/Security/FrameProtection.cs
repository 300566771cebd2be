using Zmtp.Wire;

namespace Zmtp.Security;

/// <summary>Encrypts the frames of one connection and checks those of its peer. One instance a connection: the nonces are its state.</summary>
/// <remarks>Frames have to be sent in the order in which they were sealed, and opened in the order in which they came.</remarks>
internal abstract class FrameProtection : IDisposable
{
    /// <summary>Bytes that a frame grows by, header apart.</summary>
    public abstract int Overhead { get; }

    /// <summary>Writes a protected frame: what stands in it, then its body, encrypted.</summary>
    /// <param name="flags">MORE or COMMAND of the content.</param>
    /// <param name="body">The content; copied.</param>
    /// <param name="output">Body length + <see cref="Overhead"/> bytes: the body of the outer frame.</param>
    public abstract void Seal(FrameFlags flags, ReadOnlySpan<byte> body, Span<byte> output);

    /// <summary>Opens a protected frame.</summary>
    /// <param name="outer">The outer frame's body.</param>
    /// <param name="plaintext">The content, valid until the next call.</param>
    /// <returns>None, or the rule that was broken: the connection has to close and nothing may be delivered.</returns>
    public abstract ProtocolError TryOpen(ReadOnlySpan<byte> outer, out FrameFlags flags, out ReadOnlySpan<byte> plaintext);

    /// <inheritdoc/>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}
