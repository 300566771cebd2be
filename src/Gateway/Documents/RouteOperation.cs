using System.Net.Http.Headers;
using Gateway.Configuration;
using Gateway.Routing;
using Gateway.Templates;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.OpenApi;

namespace Gateway.Documents;

/// <summary>Describes one configured route as OpenAPI operations.</summary>
internal sealed class RouteOperation(ServedRoute route, OpenApiDocument document)
{
    private readonly RoutePattern _pattern = RoutePatternFactory.Parse(route.Options.Path);
    private readonly List<FrameTemplate> _frames = [.. RequestTemplate.Parse(route.Options.Request, routeParameters: null, out _)?.Frames ?? []];

    /// <summary>Adds the route's paths: two when its last parameter may be left out, for OpenAPI's parameters in paths may not.</summary>
    public void AddTo(OpenApiPaths paths)
    {
        var last = _pattern.Parameters.Count > 0 ? _pattern.Parameters[^1] : null;
        var isOptional = last is { IsOptional: true } or { IsCatchAll: true };
        Add(paths, PathText(_pattern.PathSegments), _pattern.Parameters, isOptional ? $"{route.Name}At" : route.Name);
        if (isOptional) Add(paths, PathText(_pattern.PathSegments.SkipLast(1)), _pattern.Parameters.SkipLast(1), route.Name);
    }

    private static string PathText(IEnumerable<RoutePatternPathSegment> segments) =>
        "/" + string.Join('/', segments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
        {
            RoutePatternLiteralPart literal => literal.Content,
            RoutePatternSeparatorPart separator => separator.Content,
            RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
            _ => "",
        }))));

    private void Add(OpenApiPaths paths, string path, IEnumerable<RoutePatternParameterPart> parameters, string id)
    {
        if (!paths.TryGetValue(path, out var found)) paths.Add(path, found = new OpenApiPathItem { Operations = [] });
        foreach (var method in route.Methods)
        {
            // Ids are unique in a document; a route with several methods says which one it is.
            var unique = route.Methods.Count == 1 ? id : $"{id}_{method.ToLowerInvariant()}";
            found.Operations![new HttpMethod(method)] = Operation(unique, method, parameters);
        }
    }

    private OpenApiOperation Operation(string id, string method, IEnumerable<RoutePatternParameterPart> parameters)
    {
        var operation = new OpenApiOperation
        {
            OperationId = id,
            Summary = route.Options.Summary,
            Tags = new HashSet<OpenApiTagReference> { new(route.Options.Backend, document) },
            Parameters = [.. parameters.Select(parameter => Parameter(parameter.Name, ParameterLocation.Path)), .. FromTemplate()],
            Responses = Responses(TakesBody(method)),
        };
        if (TakesBody(method)) operation.RequestBody = RequestBody();
        return operation;
    }

    private bool TakesBody(string method) =>
        method is not ("GET" or "HEAD" or "DELETE" or "OPTIONS") && _frames.Any(frame => frame.IsParts || frame.Uses(PlaceholderSource.Body));

    /// <summary>Query parameters and headers that the route's template sends on.</summary>
    private IEnumerable<IOpenApiParameter> FromTemplate() =>
        from frame in _frames
        from piece in frame.Pieces
        let placeholder = piece.Placeholder
        where placeholder?.Source is PlaceholderSource.Query or PlaceholderSource.Header
        group placeholder by (placeholder.Source, placeholder.Name) into same
        select Parameter(same.Key.Name, same.Key.Source == PlaceholderSource.Query ? ParameterLocation.Query : ParameterLocation.Header);

    private static OpenApiParameter Parameter(string name, ParameterLocation place) => new()
    {
        Name = name,
        In = place,
        Required = place == ParameterLocation.Path,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private OpenApiRequestBody RequestBody()
    {
        var isParts = _frames.Any(frame => frame.IsParts);
        return new OpenApiRequestBody
        {
            Required = true,
            Description = $"At most {route.Options.MaxBodySize} bytes.",
            Content = isParts ? Content("multipart/mixed") : Content(MediaType()),
        };
    }

    private OpenApiResponses Responses(bool takesBody)
    {
        var responses = new OpenApiResponses();
        if (route.Kind == RouteKinds.Call)
        {
            responses["200"] = new OpenApiResponse { Description = "The reply of the backend.", Content = Content(MediaType()) };
        }
        else
        {
            responses["202"] = new OpenApiResponse { Description = route.Kind == RouteKinds.Push ? "Queued for a worker." : "Published." };
        }

        foreach (var (status, description) in ProblemsOf(route.Kind, takesBody))
        {
            responses[status] = new OpenApiResponse
            {
                Description = description,
                Content = new Dictionary<string, IOpenApiMediaType>(StringComparer.Ordinal)
                {
                    [Problems.MediaType] = new OpenApiMediaType { Schema = new OpenApiSchemaReference(ProblemSchema.Name, document) },
                },
            };
        }

        return responses;
    }

    private static IEnumerable<(string Status, string Description)> ProblemsOf(RouteKinds kind, bool takesBody)
    {
        yield return ("400", "The request cannot be read, or a value does not fit the route's template.");
        yield return ("404", "No route has this path.");
        if (takesBody) yield return ("411", "A body this long needs a Content-Length.");
        if (takesBody) yield return ("413", "The body is larger than the route allows.");
        if (kind == RouteKinds.Call) yield return ("502", "The backend was lost, or replied with what cannot be a response.");
        if (kind != RouteKinds.Publish) yield return ("503", "No peer of the backend is ready, or all are full; the detail says why.");
        if (kind == RouteKinds.Call) yield return ("504", "The backend did not reply in time.");
    }

    private string MediaType() => MediaTypeHeaderValue.TryParse(route.Options.ContentType, out var type) ? type.MediaType! : "application/octet-stream";

    private static Dictionary<string, IOpenApiMediaType> Content(string mediaType)
    {
        var isJson = mediaType.EndsWith("json", StringComparison.OrdinalIgnoreCase);
        var isText = mediaType.StartsWith("text/", StringComparison.OrdinalIgnoreCase);
        // JSON without a schema may be any value; bytes are a binary string.
        var schema = isJson ? new OpenApiSchema() : new OpenApiSchema { Type = JsonSchemaType.String, Format = isText ? null : "binary" };
        return new Dictionary<string, IOpenApiMediaType>(StringComparer.Ordinal) { [mediaType] = new OpenApiMediaType { Schema = schema } };
    }
}
