using System.IO.Pipelines;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Backends;

/// <summary>A REQ or DEALER backend: a pool of lanes, many calls in flight on each.</summary>
internal interface ICaller
{
    /// <summary>Name of the backend.</summary>
    string Name { get; }

    /// <summary>
    /// Sends the call's request and completes when the reply's last part has been accepted by <paramref name="call"/>. It usually completes
    /// on the lane's read loop, so what follows the await must not block.
    /// </summary>
    /// <param name="timeout">From now to the first part of the reply.</param>
    /// <param name="repeatable">Whether another attempt may be made when the peer is lost before the reply began.</param>
    /// <param name="cancellationToken">The client is gone: the slot is freed, a late reply dropped and counted.</param>
    /// <exception cref="BackendException">504 timeout, 503 no ready lane, 502 lost. After the reply began: <see cref="BackendLostException"/>, and the response must be aborted.</exception>
    ValueTask CallAsync(ICall call, TimeSpan timeout, bool repeatable, CancellationToken cancellationToken);
}

/// <summary>One call as the lane sees it: writes a request, takes the parts of its reply (envelope removed).</summary>
internal interface ICall
{
    /// <summary>Writes the frames that are known now; the last says <c>more: false</c> unless <see cref="StreamedLength"/> is set. Repeatable.</summary>
    void WriteRequest(IFrameWriter writer);

    /// <summary>Length of a last frame that is streamed after the frames of <see cref="WriteRequest"/>, or -1 for none. A streamed call is never repeated.</summary>
    long StreamedLength { get; }

    /// <summary>Where the streamed frame's bytes come from; exactly <see cref="StreamedLength"/> bytes are read.</summary>
    PipeReader StreamedBody { get; }

    /// <summary>Whether the streamed body is here already, so that it can be read at any pace.</summary>
    bool IsBodyHeld => false;

    /// <summary>
    /// Takes the streamed body in at its sender's pace, so that it can be sent at the backend's; <see cref="StreamedBody"/> then reads what
    /// was taken in.
    /// </summary>
    /// <returns>False when it is larger than what is held; then nothing was read.</returns>
    ValueTask<bool> HoldBodyAsync(CancellationToken cancellationToken) => new(false);

    /// <summary>Takes a part of the reply, on the lane's read loop; as <see cref="IFrameSink.Accept"/>. The message may end without any part when the reply has no frame after its envelope.</summary>
    bool Accept(in FramePart part);

    /// <summary>As <see cref="IFrameSink.WhenReadyAsync"/>.</summary>
    ValueTask WhenReadyAsync(CancellationToken stopping);
}
