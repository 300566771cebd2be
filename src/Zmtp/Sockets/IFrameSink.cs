using Zmtp.Wire;

namespace Zmtp.Sockets;

/// <summary>
/// Takes what one peer sends, straight from its read loop: no queue, no thread hop. Calls never overlap and come in the order of the wire.
/// </summary>
/// <remarks>
/// A sink must not block. Frames of commands never reach it; SUBSCRIBE and CANCEL go to the peer's subscription handler.
/// </remarks>
public interface IFrameSink
{
    /// <summary>Takes one part. It is always taken; the answer tells whether the next one may follow at once.</summary>
    /// <returns>False to pause: nothing more is read from this peer, and its TCP window closes, until <see cref="WhenReadyAsync"/> completes.</returns>
    bool Accept(in FramePart part);

    /// <summary>Completes when the next part may come. Called only after <see cref="Accept"/> answered false.</summary>
    /// <param name="stopping">Cancelled when the connection is being closed.</param>
    ValueTask WhenReadyAsync(CancellationToken stopping);

    /// <summary>All complete parts in the receive buffer have been handed over and the loop goes back to waiting for bytes: the moment to wake readers or flush once for many.</summary>
    void BatchEnd();

    /// <summary>The peer is gone; the last call. A message that was not ended is lost and must be abandoned by the sink.</summary>
    /// <param name="reason">Why, or null for an orderly close.</param>
    void Closed(Exception? reason);
}
