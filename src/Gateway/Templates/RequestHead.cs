using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Gateway.Templates;

/// <summary>The <c>{head}</c> of a request: a JSON object with method, path, route, query, headers and user.</summary>
internal static class RequestHead
{
    // Credentials stay at the gateway; a template that needs one names it: {header:authorization}.
    private static readonly HashSet<string> Withheld = new(StringComparer.OrdinalIgnoreCase)
    {
        HeaderNames.Authorization, HeaderNames.ProxyAuthorization, HeaderNames.Cookie,
    };

    /// <summary>Appends the object. Names and values that come several times become arrays.</summary>
    public static void Write(HttpContext context, IBufferWriter<byte> output)
    {
        var request = context.Request;
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("method", request.Method);
        json.WriteString("path", (request.PathBase + request.Path).ToUriComponent());
        json.WriteStartObject("route");
        foreach (var (name, value) in request.RouteValues) json.WriteString(name, value?.ToString());
        json.WriteEndObject();
        json.WriteStartObject("query");
        foreach (var (name, values) in request.Query) WriteValues(json, name, values);
        json.WriteEndObject();
        json.WriteStartObject("headers");
        foreach (var (name, values) in request.Headers)
        {
            if (!Withheld.Contains(name)) WriteValues(json, name.ToLowerInvariant(), values);
        }

        json.WriteEndObject();
        json.WriteString("user", context.User.Identity?.Name);
        json.WriteEndObject();
    }

    private static void WriteValues(Utf8JsonWriter json, string name, StringValues values)
    {
        if (values.Count == 1)
        {
            json.WriteString(name, values[0]);
            return;
        }

        json.WriteStartArray(name);
        foreach (var value in values) json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
