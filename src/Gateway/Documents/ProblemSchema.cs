using Microsoft.OpenApi;

namespace Gateway.Documents;

/// <summary>The schema of problem documents.</summary>
internal static class ProblemSchema
{
    /// <summary>Its name among the components.</summary>
    public const string Name = "Problem";

    /// <summary>Makes it.</summary>
    public static OpenApiSchema Create() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "What went wrong (RFC 9457).",
        Required = new HashSet<string>(StringComparer.Ordinal) { "type", "title", "status", "detail", "traceId", "code" },
        Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)
        {
            ["type"] = Text("Names the kind of problem: urn:gateway:problem: and the code."),
            ["title"] = Text("The kind of problem in words."),
            ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32", Description = "The HTTP status." },
            ["detail"] = Text("What happened and, where known, what to do."),
            ["traceId"] = Text("Finds the request in the log: the caller's trace id, or the request's own."),
            ["code"] = Text("Stable code such as backend-timeout; docs/errors.md lists all."),
        },
    };

    private static OpenApiSchema Text(string description) => new() { Type = JsonSchemaType.String, Description = description };
}
