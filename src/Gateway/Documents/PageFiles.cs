using System.Collections.Frozen;
using Microsoft.Net.Http.Headers;

namespace Gateway.Documents;

/// <summary>The page at <c>/</c>. Its files are part of the assembly, so it is there wherever the gateway was started.</summary>
internal static class PageFiles
{
    /// <summary>Scripts, styles and connections of this host only, and nothing inline.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string Folder = "wwwroot/";
    private const string Index = "index.html";

    // Loaded by the first request for it: a gateway that nobody looks at has no page in memory.
    private static readonly Lazy<FrozenDictionary<string, PageFile>> Files = new(Load);

    /// <summary>Serves the page for what no endpoint took: it costs configured routes nothing, and one of them may have its paths.</summary>
    public static void UsePage(this WebApplication app) => app.Use(static (context, next) =>
    {
        var isRead = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        return isRead && Files.Value.TryGetValue(context.Request.Path.Value ?? "", out var file) ? WriteAsync(context, file) : next(context);
    });

    private static Task WriteAsync(HttpContext context, PageFile file)
    {
        var request = context.Request.GetTypedHeaders();
        var isGzip = request.AcceptEncoding.Any(static coding => coding.Value == "gzip" && coding.Quality is not 0);
        var (body, tag) = isGzip ? (file.Gzip, file.GzipTag) : (file.Plain, file.PlainTag);
        var response = context.Response;
        response.Headers.ETag = tag.ToString();
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        // Kept, but asked for each time: page and gateway are of one version.
        response.Headers.CacheControl = "no-cache";
        if (request.IfNoneMatch.Any(known => known.Equals(EntityTagHeaderValue.Any) || known.Compare(tag, useStrongComparison: false)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        if (isGzip) response.Headers.ContentEncoding = "gzip";
        response.ContentType = file.MediaType;
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body).AsTask();
    }

    private static FrozenDictionary<string, PageFile> Load()
    {
        var assembly = typeof(PageFiles).Assembly;
        var files = new Dictionary<string, PageFile>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames().Where(static name => name.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using var resource = assembly.GetManifestResourceStream(name)!;
            var path = name[Folder.Length..];
            files[path == Index ? "/" : $"/{path}"] = PageFile.Read(path, resource);
        }

        return files.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
