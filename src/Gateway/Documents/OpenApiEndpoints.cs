using Gateway.Routing;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.OpenApi;

namespace Gateway.Documents;

/// <summary>The OpenAPI document at <c>/openapi/v1.json</c> and its browsable form at <c>/swagger</c>.</summary>
internal static class OpenApiEndpoints
{
    private const string Document = "/openapi/v1.json";
    private const string Page = "/swagger/{**file}";
    private static readonly string[] Methods = ["GET", "HEAD"];

    /// <summary>Adds what makes the document.</summary>
    public static void AddOpenApi(this IServiceCollection services)
    {
        services.AddSingleton<IApiDescriptionGroupCollectionProvider, NoApiDescriptions>();
        services.AddSwaggerGen(options =>
        {
            options.SwaggerDoc("v1", new OpenApiInfo { Title = "Gateway", Version = GatewayApplication.Version, Description = "The configured call, publish and push routes." });
            options.DocumentFilter<RoutesDocumentFilter>();
        });
    }

    /// <summary>Maps both. They are endpoints: requests to routes pass none of it.</summary>
    public static void MapOpenApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapSwagger("/openapi/{documentName}.json");
        var page = endpoints.CreateApplicationBuilder();
        page.Use(next => context =>
        {
            // The page's files are served by middleware that steps aside for an endpoint.
            context.SetEndpoint(null);
            return next(context);
        });
        page.UseSwaggerUI(options =>
        {
            options.SwaggerEndpoint(Document, "Gateway");
            options.DocumentTitle = "Gateway API";
        });
        endpoints.MapMethods(Page, Methods, page.Build());
        endpoints.MapOtherMethods(Page, Methods);
        endpoints.MapOtherMethods(Document, "GET");
    }

    /// <summary>Everything is described by <see cref="RoutesDocumentFilter"/>.</summary>
    private sealed class NoApiDescriptions : IApiDescriptionGroupCollectionProvider
    {
        public ApiDescriptionGroupCollection ApiDescriptionGroups { get; } = new([], version: 1);
    }
}
