using Gateway.Backends;
using Gateway.Routing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Gateway.Templates;

/// <summary>The parts of a multipart request, in order; their headers are not sent on.</summary>
/// <remarks>All of it lies in memory, so its bytes and its parts are bounded.</remarks>
internal sealed class MultipartBody : IDisposable
{
    private const int MaxParts = 1_000;
    private const int MaxPartHeaders = 16;
    private const int MaxPartHeaderBytes = 8 * 1024;
    private const int MaxBoundaryLength = 70; // RFC 2046, section 5.1.1.
    private const int ReadSize = 16 * 1024;
    private readonly PooledBuffer _bytes = new();
    private readonly List<int> _ends = [];

    private MultipartBody()
    {
    }

    /// <summary>Number of parts; at least one.</summary>
    public int Count => _ends.Count;

    /// <summary>Reads the request's body to its end.</summary>
    /// <param name="maxBytes">Most bytes of all parts together.</param>
    /// <exception cref="BackendException">415 <c>unsupported-media-type</c>, 413 <c>request-too-large</c> or 400 <c>bad-multipart</c>.</exception>
    public static async Task<MultipartBody> ReadAsync(HttpRequest request, long maxBytes, CancellationToken cancellationToken)
    {
        var body = new MultipartBody();
        try
        {
            var reader = new MultipartReader(Boundary(request), request.Body) { HeadersCountLimit = MaxPartHeaders, HeadersLengthLimit = MaxPartHeaderBytes };
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section) await body.ReadPartAsync(section, maxBytes, cancellationToken);
            if (body.Count == 0) throw Bad("it has no parts");
            return body;
        }
        catch (Exception e) when (e is InvalidDataException
            || (e is IOException and not (BadHttpRequestException or ConnectionResetException or { InnerException: OverflowException })
            && !request.HttpContext.RequestAborted.IsCancellationRequested))
        {
            body.Dispose();
            throw Bad(e.Message);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Adds a frame per part.</summary>
    public void AddTo(RequestFrames frames)
    {
        var start = 0;
        foreach (var end in _ends)
        {
            var at = frames.Buffer.Length;
            var part = _bytes.Written[start..end];
            part.CopyTo(frames.Buffer.GetSpan(part.Length));
            frames.Buffer.Advance(part.Length);
            frames.AddWritten(at);
            start = end;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _bytes.Reset();

    private static string Boundary(HttpRequest request)
    {
        if (MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            && type.Type.Equals("multipart", StringComparison.OrdinalIgnoreCase)
            && HeaderUtilities.RemoveQuotes(type.Boundary) is { HasValue: true, Length: > 0 and <= MaxBoundaryLength } boundary)
        {
            return boundary.ToString();
        }

        throw new BackendException(
            StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type",
            $"Content-Type is \"{request.ContentType}\"; allowed: multipart/mixed with a boundary of 1 to {MaxBoundaryLength} characters.");
    }

    private static BackendException Bad(string why) =>
        new(StatusCodes.Status400BadRequest, "bad-multipart", $"The multipart body cannot be read: {why}.");

    private async Task ReadPartAsync(MultipartSection section, long maxBytes, CancellationToken cancellationToken)
    {
        if (_ends.Count == MaxParts) throw TooLarge($"more than {MaxParts} parts");
        while (await section.Body.ReadAsync(_bytes.GetMemory(ReadSize), cancellationToken) is > 0 and var read)
        {
            _bytes.Advance(read);
            if (_bytes.Length > maxBytes) throw TooLarge($"more than {maxBytes} bytes");
        }

        _ends.Add(_bytes.Length);
    }

    private static BackendException TooLarge(string what) =>
        new(StatusCodes.Status413PayloadTooLarge, ProblemCode.RequestTooLarge, $"The multipart body has {what}.");
}
