using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Gateway.Devices;

/// <summary>Describes <c>/gateway/devices</c> in the OpenAPI document.</summary>
internal sealed class DeviceOperations : IDocumentFilter
{
    private const string Tag = "devices";

    /// <inheritdoc/>
    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        swaggerDoc.Tags ??= new HashSet<OpenApiTag>();
        swaggerDoc.Tags.Add(new OpenApiTag { Name = Tag, Description = "Proxies between two sockets: their state, and the way to steer them." });
        Add(swaggerDoc, DeviceEndpoints.List, HttpMethod.Get, "devices", "All devices: state, messages and bytes each way, rate, last error, endpoints.", "The devices.");
        Add(swaggerDoc, DeviceEndpoints.One, HttpMethod.Get, "device", "One device.", "The device.", problem: "404");
        foreach (var action in DeviceEndpoints.Actions)
        {
            var path = DeviceEndpoints.Steer.Replace("{action}", action, StringComparison.Ordinal);
            Add(swaggerDoc, path, HttpMethod.Post, $"{action}Device", Summary(action), "The device, as it is then.", action is "pause" or "resume" ? ["403", "404", "409"] : ["403", "404"]);
        }
    }

    private static string Summary(string action) => action switch
    {
        "start" => "Start a device that was stopped or failed.",
        "stop" => "Stop a device, after what it took had its linger time to go on.",
        "restart" => "Stop a device and start it.",
        "pause" => "Let nothing pass: messages wait up to the high-water marks.",
        _ => "Let messages pass again.",
    };

    private static void Add(OpenApiDocument document, string path, HttpMethod method, string id, string summary, string ok, params string[] problem)
    {
        var responses = new OpenApiResponses { ["200"] = Json("application/json", ok) };
        foreach (var status in problem) responses[status] = Json("application/problem+json", Problem(status));
        var operation = new OpenApiOperation { OperationId = id, Summary = summary, Tags = new HashSet<OpenApiTagReference> { new(Tag, document) }, Responses = responses };
        if (path.Contains("{name}", StringComparison.Ordinal))
        {
            operation.Parameters = [new OpenApiParameter { Name = "name", In = ParameterLocation.Path, Required = true, Description = "Name of the device.", Schema = new OpenApiSchema { Type = JsonSchemaType.String } }];
        }

        document.Paths.Add(path, new OpenApiPathItem { Operations = new() { [method] = operation } });
    }

    private static string Problem(string status) => status switch
    {
        "403" => "Another machine asked, or a page of another site.",
        "404" => "No device has the name.",
        _ => "The device does not run.",
    };

    private static OpenApiResponse Json(string type, string description) => new()
    {
        Description = description,
        Content = new Dictionary<string, IOpenApiMediaType>(StringComparer.Ordinal) { [type] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.Object } } },
    };
}
