using Gateway.Configuration;
using Gateway.Routing;
using Gateway.Telemetry;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Gateway.Documents;

/// <summary>
/// Fills the OpenAPI document from the metadata of the routes that are served now, so that it follows a reload. The API explorer,
/// which Swashbuckle asks otherwise, knows methods of classes; these routes are configuration.
/// </summary>
internal sealed class RoutesDocumentFilter(GatewayEndpointDataSource routes) : IDocumentFilter
{
    /// <inheritdoc/>
    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        var described = routes.Routes.Where(route => route.Kind != RouteKinds.Stream).ToArray();
        swaggerDoc.Components ??= new OpenApiComponents();
        swaggerDoc.Components.Schemas ??= new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal);
        swaggerDoc.Components.Schemas[ProblemSchema.Name] = ProblemSchema.Create();
        swaggerDoc.Tags = new HashSet<OpenApiTag>();
        foreach (var backend in described.Select(route => route.Options.Backend).Order(StringComparer.OrdinalIgnoreCase).Distinct(StringComparer.OrdinalIgnoreCase))
        {
            swaggerDoc.Tags.Add(new OpenApiTag { Name = backend, Description = $"Routes onto the backend {backend}." });
        }

        swaggerDoc.Tags.Add(new OpenApiTag { Name = "health", Description = "State of the gateway." });
        foreach (var route in described) new RouteOperation(route, swaggerDoc).AddTo(swaggerDoc.Paths);
        AddHealth(swaggerDoc, HealthEndpoints.Live, "healthLive", "Whether the process runs.", "It runs.");
        AddHealth(swaggerDoc, HealthEndpoints.Ready, "healthReady", "State of every backend endpoint and every route.", "At least one backend is ready, or none is configured.", "No backend is ready, or the gateway is stopping.");
    }

    private static void AddHealth(OpenApiDocument document, string path, string id, string summary, string ok, string? unready = null)
    {
        var responses = new OpenApiResponses { ["200"] = Json(ok) };
        if (unready is not null) responses["503"] = Json(unready);
        var operation = new OpenApiOperation
        {
            OperationId = id,
            Summary = summary,
            Tags = new HashSet<OpenApiTagReference> { new("health", document) },
            Responses = responses,
        };
        document.Paths.Add(path, new OpenApiPathItem { Operations = new() { [HttpMethod.Get] = operation } });
    }

    private static OpenApiResponse Json(string description) => new()
    {
        Description = description,
        Content = new Dictionary<string, IOpenApiMediaType>(StringComparer.Ordinal)
        {
            ["application/json"] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.Object } },
        },
    };
}
