using System.Net;

namespace Gateway.Devices;

/// <summary>Whether a request may come from the page of another site. There is no login yet that a foreign page would lack.</summary>
internal static class SameOrigin
{
    /// <summary>
    /// False when a browser says that another site's page sends this, or the request is for a host that is not ours. Programs say nothing
    /// and are let through.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="allowedHosts">The <c>AllowedHosts</c> of the configuration: names between semicolons, <c>*.example.com</c> for those
    /// below one. A lone <c>*</c> names nobody.</param>
    public static bool Holds(HttpRequest request, string? allowedHosts)
    {
        // A name of the attacker's that was pointed at this machine (DNS rebinding) makes its page the same origin; its Host is still not
        // ours.
        if (!IsOurs(request.Host.Host, allowedHosts)) return false;
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0 && site is not ("same-origin" or "none")) return false;
        var origins = request.Headers.Origin;
        if (origins.Count == 0) return true;
        // The scheme stays out: behind a proxy that ends TLS it is not ours to know. Host and port are compared whole.
        return origins.Count == 1 && Uri.TryCreate(origins[0], UriKind.Absolute, out var origin) && origin.Scheme is "http" or "https"
            && Same(origin, request.Host);
    }

    private static bool IsOurs(string host, string? allowedHosts)
    {
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)) return true;
        if (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)) return true;
        foreach (var allowed in (allowedHosts ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (allowed.StartsWith("*.", StringComparison.Ordinal) ? host.EndsWith(allowed[1..], StringComparison.OrdinalIgnoreCase)
                : host.Equals(allowed, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    private static bool Same(Uri origin, HostString host) =>
        origin.Host.Equals(host.Host, StringComparison.OrdinalIgnoreCase) && (host.Port ?? (origin.Scheme == "https" ? 443 : 80)) == origin.Port;
}
