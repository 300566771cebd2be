namespace Gateway.Devices;

/// <summary>Whether a request may come from the page of another site. There is no login yet that a foreign page would lack.</summary>
internal static class SameOrigin
{
    /// <summary>False when a browser says that another site's page sends this. Programs say nothing and are let through.</summary>
    public static bool Holds(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0 && site is not ("same-origin" or "none")) return false;
        var origins = request.Headers.Origin;
        if (origins.Count == 0) return true;
        // The scheme stays out: behind a proxy that ends TLS it is not ours to know. Host and port are compared whole.
        return origins.Count == 1 && Uri.TryCreate(origins[0], UriKind.Absolute, out var origin) && origin.Scheme is "http" or "https"
            && Same(origin, request.Host);
    }

    private static bool Same(Uri origin, HostString host) =>
        origin.Host.Equals(host.Host, StringComparison.OrdinalIgnoreCase) && (host.Port ?? (origin.Scheme == "https" ? 443 : 80)) == origin.Port;
}
