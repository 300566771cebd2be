using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Gateway.Documents;

/// <summary>One file of the page in both its encodings.</summary>
internal sealed record PageFile(string MediaType, byte[] Plain, EntityTagHeaderValue PlainTag, byte[] Gzip, EntityTagHeaderValue GzipTag)
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">Its name, for the media type.</param>
    /// <param name="content">Its bytes.</param>
    public static PageFile Read(string path, Stream content)
    {
        using var plain = new MemoryStream();
        content.CopyTo(plain);
        using var gzip = new MemoryStream();
        using (var compression = new GZipStream(gzip, CompressionLevel.SmallestSize, leaveOpen: true)) compression.Write(plain.GetBuffer(), 0, (int)plain.Length);
        var (whole, small) = (plain.ToArray(), gzip.ToArray());
        return new PageFile(MediaTypeOf(path), whole, TagOf(whole), small, TagOf(small));
    }

    // Each encoding has bytes of its own, so it has a strong tag of its own.
    private static EntityTagHeaderValue TagOf(byte[] bytes) => new($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 12))}\"");

    private static string MediaTypeOf(string path) => Path.GetExtension(path) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        var other => throw new NotSupportedException($"The page has no files that end in \"{other}\"."),
    };
}
