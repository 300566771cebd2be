using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Gateway.Calls;

/// <summary>Which header fields of a backend's reply may go to the client (RFC 9110, sections 5.1, 5.5 and 7.6.1).</summary>
internal static class ReplyHeaders
{
    /// <summary>Most header fields of one reply.</summary>
    public const int MaxCount = 100;

    /// <summary>Most bytes of names and values of one reply.</summary>
    public const int MaxBytes = 32 * 1024;

    private static readonly SearchValues<char> TokenChars =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // Hop-by-hop, message framing, and what the server sets itself.
    private static readonly HashSet<string> Owned = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade", "HTTP2-Settings", "Content-Length", "Date", "Server", "Host", "Alt-Svc", "Strict-Transport-Security",
    };

    // A reply that brings its own head is trusted with less than a template line that names the header.
    private static readonly string[] NotByHead = ["Set-Cookie", "Set-Cookie2", "Clear-Site-Data"];

    /// <summary>Whether the text is a field name.</summary>
    public static bool IsName(string name) => name.Length > 0 && !name.AsSpan().ContainsAnyExcept(TokenChars);

    /// <summary>Whether the field belongs to the connection or to the server, so that no backend may set it.</summary>
    public static bool IsOwned(string name) => Owned.Contains(name);

    /// <summary>Whether a <c>{head}</c> may set the field: not cookies, and not the gateway's cross-origin answer.</summary>
    public static bool MayComeByHead(string name) =>
        !IsOwned(name) && !NotByHead.Contains(name, StringComparer.OrdinalIgnoreCase) && !name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a field value from a frame: visible ASCII, spaces and tabs, trimmed.</summary>
    public static bool TryReadValue(ReadOnlySpan<byte> bytes, out string value)
    {
        value = "";
        var trimmed = bytes.Trim(" \t"u8);
        foreach (var octet in trimmed)
        {
            if (octet is (< 0x20 or > 0x7e) and not (byte)'\t') return false;
        }

        value = Encoding.ASCII.GetString(trimmed);
        return true;
    }

    /// <summary>Reads a <c>{head}</c>: <c>{"status":200,"headers":{"X-Name":"value","X-List":["a","b"]}}</c>; both are optional, other members are ignored.</summary>
    /// <param name="fields">Gets the fields that may pass.</param>
    /// <param name="stripped">Fields that were left out.</param>
    /// <returns>What is wrong, or null.</returns>
    public static string? ReadHead(ReadOnlySpan<byte> frame, List<KeyValuePair<string, string>> fields, out int status, out int stripped)
    {
        (status, stripped) = (StatusCodes.Status200OK, 0);
        try
        {
            var reader = new Utf8JsonReader(frame);
            using var head = JsonDocument.ParseValue(ref reader);
            if (reader.BytesConsumed < frame.Length && frame[(int)reader.BytesConsumed..].ContainsAnyExcept(" \t\r\n"u8)) return "is not one JSON object";
            if (head.RootElement.ValueKind != JsonValueKind.Object) return "is no JSON object";
            if (head.RootElement.TryGetProperty("status", out var number) && (number.ValueKind != JsonValueKind.Number || !number.TryGetInt32(out status) || !IsFinalStatus(status)))
            {
                return "has a status that is no number from 200 to 599";
            }

            if (!head.RootElement.TryGetProperty("headers", out var headers)) return null;
            return headers.ValueKind == JsonValueKind.Object ? ReadFields(headers, fields, ref stripped) : "has headers that are no object";
        }
        catch (JsonException)
        {
            return "is no JSON";
        }
        catch (InvalidOperationException)
        {
            // Text with a lone surrogate is valid JSON and no string.
            return "has text that is no Unicode";
        }
    }

    /// <summary>Whether a response may end with this status: 1xx are interim and have no body or end.</summary>
    public static bool IsFinalStatus(int status) => status is >= 200 and <= 599;

    private static string? ReadFields(JsonElement headers, List<KeyValuePair<string, string>> fields, ref int stripped)
    {
        foreach (var field in headers.EnumerateObject())
        {
            if (!IsName(field.Name)) return "has a header name that is no token";
            if (field.Value.ValueKind != JsonValueKind.Array)
            {
                if (ReadField(field.Name, field.Value, fields, ref stripped) is { } wrong) return wrong;
                continue;
            }

            foreach (var element in field.Value.EnumerateArray())
            {
                if (ReadField(field.Name, element, fields, ref stripped) is { } wrong) return wrong;
            }
        }

        return null;
    }

    private static string? ReadField(string name, JsonElement element, List<KeyValuePair<string, string>> fields, ref int stripped)
    {
        if (element.ValueKind != JsonValueKind.String || !TryReadValue(Encoding.UTF8.GetBytes(element.GetString()!), out var value))
        {
            return "has a header value that is no string of visible ASCII";
        }

        if (MayComeByHead(name)) fields.Add(new(name, value));
        else stripped++;
        return fields.Count + stripped > MaxCount ? $"has more than {MaxCount} headers" : null;
    }
}
