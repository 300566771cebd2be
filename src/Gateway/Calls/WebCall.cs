using System.IO.Pipelines;
using Gateway.Backends;
using Gateway.Templates;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Calls;

/// <summary>One request on its way: what the lane writes and where its reply goes.</summary>
/// <remarks>Reused from request to request of one route. The lane must not touch it once <see cref="ICaller.CallAsync"/> has completed.</remarks>
internal sealed class WebCall(CallRoute route, TimeProvider time) : ICall, IAsyncDisposable
{
    private readonly RequestBody _body = new(time);
    private readonly RequestFrames _frames = new();

    /// <summary>The response.</summary>
    public CallReply Reply { get; } = new(route, time);

    /// <inheritdoc/>
    public long StreamedLength => _body.StreamedLength;

    /// <inheritdoc/>
    public PipeReader StreamedBody => _body.Streamed ?? throw new InvalidOperationException("This call streams nothing.");

    /// <inheritdoc/>
    public bool IsBodyHeld => _body.IsHeld;

    /// <inheritdoc/>
    public ValueTask<bool> HoldBodyAsync(CancellationToken cancellationToken) => _body.HoldAsync(cancellationToken);

    /// <summary>Reads and renders the request.</summary>
    /// <exception cref="BackendException">4xx: the request is not what the route takes.</exception>
    public ValueTask PrepareAsync(HttpContext context)
    {
        Reply.Begin(context);
        var template = route.Request;
        if (template.UsesParts) return PreparePartsAsync(context);
        if (!template.UsesBody)
        {
            template.Render(context, default, bodyFollows: false, parts: null, _frames);
            return default;
        }

        var reading = _body.ReadAsync(context, route.Options, template.StreamsBody);
        if (!reading.IsCompletedSuccessfully) return PrepareBodyAsync(reading, context);
        Render(context);
        return default;
    }

    /// <inheritdoc/>
    public void WriteRequest(IFrameWriter writer) => _frames.WriteTo(writer, moreFollow: _body.StreamedLength >= 0);

    /// <inheritdoc/>
    public bool Accept(in FramePart part) => Reply.Accept(part);

    /// <inheritdoc/>
    public ValueTask WhenReadyAsync(CancellationToken stopping) => Reply.WhenReadyAsync(stopping);

    /// <summary>Gives everything back; the object may be used again.</summary>
    public ValueTask DisposeAsync()
    {
        _frames.Reset();
        Reply.Reset();
        return _body.ReleaseAsync();
    }

    private async ValueTask PrepareBodyAsync(ValueTask reading, HttpContext context)
    {
        await reading;
        Render(context);
    }

    private async ValueTask PreparePartsAsync(HttpContext context)
    {
        RequestBody.LimitSize(context, route.Options.MaxBodySize);
        using var parts = await MultipartBody.ReadAsync(context.Request, Math.Min(route.Options.MaxBodySize, route.Options.SpoolLimit), context.RequestAborted);
        route.Request.Render(context, default, bodyFollows: false, parts, _frames);
    }

    private void Render(HttpContext context) =>
        route.Request.Render(context, _body.Bytes, bodyFollows: _body.StreamedLength >= 0, parts: null, _frames);
}
