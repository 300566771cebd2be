using System.Buffers;
using System.Text;

namespace Zmtp.Transports.WebSockets;

/// <summary>The head of an HTTP/1.1 request or response: its first line and its fields (RFC 9112), as far as an upgrade needs them.</summary>
internal sealed class HttpHead
{
    /// <summary>Most bytes of a head, the empty line included; as libzmq.</summary>
    public const int MaxBytes = 8 * 1024;

    private const int MaxFields = 100;
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly List<KeyValuePair<string, string>> _fields = [];

    private HttpHead(string firstLine) => FirstLine = firstLine;

    /// <summary>The request line or the status line.</summary>
    public string FirstLine { get; }

    /// <summary>Where the head ends in received bytes.</summary>
    /// <returns>Bytes of the head with its empty line, or -1 when it is not complete.</returns>
    public static int Find(ReadOnlySpan<byte> received) => received.IndexOf("\r\n\r\n"u8) is >= 0 and var at ? at + 4 : -1;

    /// <summary>Reads a complete head. Never throws.</summary>
    /// <param name="fault">What is wrong, with null.</param>
    public static HttpHead? Parse(ReadOnlySpan<byte> head, out string fault)
    {
        fault = "a line that is no header field";
        // What is not visible ASCII, a space or a tab has no place in an upgrade's head; a lone CR or LF among it would hide a line.
        foreach (var octet in head)
        {
            if (octet is (>= 0x20 and < 0x7F) or (byte)'\t' or (byte)'\r' or (byte)'\n') continue;
            fault = "an octet that is not ASCII text";
            return null;
        }

        var lines = Encoding.ASCII.GetString(head[..^4]).Split("\r\n");
        var parsed = new HttpHead(lines[0]);
        if (lines[0].AsSpan().ContainsAny('\r', '\n') || lines.Length > MaxFields + 1) return null;
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.AsSpan(0, colon).ContainsAnyExcept(TokenCharacters) || line.AsSpan().ContainsAny('\r', '\n')) return null;
            parsed._fields.Add(new(line[..colon], line[(colon + 1)..].Trim(' ', '\t')));
        }

        fault = "";
        return parsed;
    }

    /// <summary>The value of a field that may stand once; null when it is absent or stands more than once.</summary>
    public string? Single(string name)
    {
        string? found = null;
        foreach (var (field, value) in _fields)
        {
            if (!field.Equals(name, StringComparison.OrdinalIgnoreCase)) continue;
            if (found is not null) return null;
            found = value;
        }

        return found;
    }

    /// <summary>The elements of a field that is a list, over all its lines; empty elements are left out.</summary>
    public IEnumerable<string> List(string name) =>
        _fields.Where(field => field.Key.Equals(name, StringComparison.OrdinalIgnoreCase))
            .SelectMany(field => field.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Whether a list has an element, compared without case.</summary>
    public bool Lists(string name, string element) => List(name).Contains(element, StringComparer.OrdinalIgnoreCase);
}
