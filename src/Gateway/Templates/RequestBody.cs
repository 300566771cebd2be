using System.Buffers;
using System.IO.Pipelines;
using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Routing;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Gateway.Templates;

/// <summary>The body of one request, made ready for a frame, whose length stands before its bytes.</summary>
/// <remarks>
/// Up to <see cref="BufferLimit"/> bytes stay in the connection's own buffer. A larger body of known length that arrives at
/// <see cref="StreamRate"/> is streamed. All others are spooled first, up to <c>SpoolLimit</c>: a frame of unknown length cannot be begun,
/// and a frame that takes long blocks the lane it is on, heartbeats included. Reused from request to request by its owner.
/// </remarks>
internal sealed class RequestBody(TimeProvider time) : IAsyncDisposable
{
    /// <summary>Bodies up to this size are taken whole from the connection's buffer.</summary>
    public const int BufferLimit = 64 * 1024;

    /// <summary>Bytes per second at which a body has to begin, and to go on, to be streamed.</summary>
    public const int StreamRate = 64 * 1024;

    // A sender that was fast enough may pause this long before the rate is held against it.
    private static readonly MinDataRate StreamedRate = new(StreamRate, TimeSpan.FromSeconds(5));
    private BodySpool? _spool;
    private PipeReader? _held;
    private SequencePosition _heldEnd;

    /// <summary>The whole body, unless it is streamed. Valid until <see cref="ReleaseAsync"/>.</summary>
    public ReadOnlySequence<byte> Bytes { get; private set; }

    /// <summary>Length of the body when it is streamed, else -1.</summary>
    public long StreamedLength { get; private set; } = -1;

    /// <summary>Where a streamed body comes from.</summary>
    public PipeReader? Streamed { get; private set; }

    /// <summary>Reads what has to be read before the first frame can be sent.</summary>
    /// <param name="mayStream">Whether the body is the last frame as it is.</param>
    /// <exception cref="BackendException">413 <c>request-too-large</c>, 411 <c>length-required</c> or 408 <c>request-timeout</c>.</exception>
    public ValueTask ReadAsync(HttpContext context, WebRouteOptions limits, bool mayStream)
    {
        var length = context.Request.ContentLength;
        if (length == 0 || (length is null && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })) return default;
        if (length > limits.MaxBodySize) throw TooLarge(limits.MaxBodySize);
        return length is null or > BufferLimit ? ReadLargeAsync(context, limits, length, mayStream) : ReadSmallAsync(context.Request.BodyReader, length.Value);
    }

    /// <summary>Whether the streamed body was taken in already.</summary>
    public bool IsHeld => _spool is not null;

    /// <summary>
    /// Takes a streamed body in at its sender's pace, for a lane that is free only later; <see cref="Streamed"/> then reads what was taken
    /// in.
    /// </summary>
    /// <returns>False when nothing is streamed.</returns>
    /// <exception cref="BackendException">400: it ended early.</exception>
    public async ValueTask<bool> HoldAsync(CancellationToken cancellationToken)
    {
        if (Streamed is not { } reader) return false;
        if (IsHeld) return true;
        _spool = new BodySpool(mayUseFile: true);
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            await SpoolAsync(_spool, reader, result);
            if (result.IsCompleted) break;
        }

        if (_spool.Length < StreamedLength)
        {
            throw new BackendException(
                StatusCodes.Status400BadRequest, "request-body-truncated",
                $"The request's body ended {StreamedLength - _spool.Length} bytes before its Content-Length.");
        }

        Streamed = _spool.OpenFile() ?? PipeReader.Create(_spool.InMemory());
        return true;
    }

    /// <summary>Tells the server how much of the body may be read at all, framing included.</summary>
    public static void LimitSize(HttpContext context, long maxBytes)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } server) server.MaxRequestBodySize = maxBytes;
    }

    /// <summary>Gives buffers and files back. The call must be over.</summary>
    public ValueTask ReleaseAsync()
    {
        _held?.AdvanceTo(_heldEnd);
        (_held, Bytes, Streamed, StreamedLength) = (null, default, null, -1);
        if (_spool is not { } spool) return default;
        _spool = null;
        return spool.DisposeAsync();
    }

    /// <inheritdoc/>
    ValueTask IAsyncDisposable.DisposeAsync() => ReleaseAsync();

    // The usual body came with its header and is there already: then this completes at once and allocates nothing.
    private async ValueTask ReadSmallAsync(PipeReader reader, long length)
    {
        while (true)
        {
            var result = await reader.ReadAsync();
            if (result.Buffer.Length >= length || result.IsCompleted)
            {
                Hold(reader, result.Buffer);
                return;
            }

            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private async ValueTask ReadLargeAsync(HttpContext context, WebRouteOptions limits, long? length, bool mayStream)
    {
        if (length > limits.SpoolLimit && !mayStream)
        {
            throw new BackendException(
                StatusCodes.Status413PayloadTooLarge, ProblemCode.RequestTooLarge,
                $"This route needs the whole body before it can be sent, and takes at most {limits.SpoolLimit} bytes of it.");
        }

        LimitSize(context, limits.MaxBodySize);
        var reader = context.Request.BodyReader;
        var started = time.GetTimestamp();
        var result = await reader.ReadAtLeastAsync(length is null ? BufferLimit + 1 : BufferLimit);
        if (result.IsCompleted || result.Buffer.Length >= length)
        {
            Hold(reader, result.Buffer);
            return;
        }

        if (length is null || !mayStream || result.Buffer.Length < time.GetElapsedTime(started).TotalSeconds * StreamRate)
        {
            await SpoolAsync(reader, result, limits, length, mayStream);
            return;
        }

        // All of it was examined to find its length; the next read waits for what must still come.
        reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        // Only HTTP/1.1 has a rate per request; HTTP/2 keeps the server's.
        if (HttpProtocol.IsHttp11(context.Request.Protocol) && context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = StreamedRate;
        (Streamed, StreamedLength) = (reader, length.Value);
    }

    private async ValueTask SpoolAsync(PipeReader reader, ReadResult result, WebRouteOptions limits, long? length, bool mayUseFile)
    {
        var limit = Math.Min(limits.SpoolLimit, limits.MaxBodySize);
        _spool = new BodySpool(mayUseFile);
        while (true)
        {
            var refused = length > limit ? TooSlow(limit)
                : _spool.Length + result.Buffer.Length <= limit ? null
                : limit == limits.MaxBodySize ? TooLarge(limit) : LengthRequired(limit);
            if (refused is not null)
            {
                reader.AdvanceTo(result.Buffer.End);
                throw refused;
            }

            await SpoolAsync(_spool, reader, result);
            if (result.IsCompleted) break;
            result = await reader.ReadAsync();
        }

        if (_spool.OpenFile() is { } file) (Streamed, StreamedLength) = (file, _spool.Length);
        else Bytes = _spool.InMemory();
    }

    /// <summary>
    /// Ends the read whatever becomes of it: the web server reads the rest of the body, and one that was not ended is in its way.
    /// </summary>
    private static async ValueTask SpoolAsync(BodySpool spool, PipeReader reader, ReadResult result)
    {
        try
        {
            await spool.WriteAsync(result.Buffer);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackendException(
                StatusCodes.Status507InsufficientStorage, ProblemCode.StorageFull, "There is no room to hold the body back until its end.",
                    e);
        }
        finally
        {
            reader.AdvanceTo(result.Buffer.End);
        }
    }

    private void Hold(PipeReader reader, in ReadOnlySequence<byte> bytes) => (_held, _heldEnd, Bytes) = (reader, bytes.End, bytes);

    private static BackendException TooLarge(long limit) =>
        new(StatusCodes.Status413PayloadTooLarge, ProblemCode.RequestTooLarge, $"The body is larger than this route takes: at most {limit} bytes.");

    private static BackendException LengthRequired(long limit) => new(
        StatusCodes.Status411LengthRequired, "length-required",
        $"A frame's length stands before its bytes, so a body without Content-Length is held back until its end, up to {limit} bytes. Send Content-Length.");

    private static BackendException TooSlow(long limit) => new(
        StatusCodes.Status408RequestTimeout, ProblemCode.RequestTimeout,
        $"The body comes at less than {StreamRate} bytes per second, and at most {limit} bytes of a slow one are held back until its end.");
}
