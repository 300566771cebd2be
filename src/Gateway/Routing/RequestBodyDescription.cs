namespace Gateway.Routing;

/// <summary>That a route takes a body, for the OpenAPI document. Routing does not act on it: any media type is taken.</summary>
/// <param name="MediaType">What it usually is.</param>
internal sealed record RequestBodyDescription(string MediaType);
