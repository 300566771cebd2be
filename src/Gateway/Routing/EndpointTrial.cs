namespace Gateway.Routing;

/// <summary>Has routing build its tables of endpoints that are not served yet.</summary>
/// <remarks>
/// The framework builds them when it hears of a change, on whose thread that is told, and follows no further change once that has failed.
/// So whatever it may throw is found out here, beside the endpoints that run.
/// </remarks>
internal sealed class EndpointTrial(IServiceProvider services)
{
    // UseRouting's own name for it; endpoints given here are seen by this pipeline alone.
    private const string EndpointsProperty = "__EndpointRouteBuilder";

    /// <exception cref="Exception">Routing cannot serve these endpoints.</exception>
    public void Try(IReadOnlyList<Endpoint> endpoints)
    {
        var application = new ApplicationBuilder(services);
        application.UseRouting();
        ((IEndpointRouteBuilder)application.Properties[EndpointsProperty]!).DataSources.Add(new DefaultEndpointDataSource(endpoints));
        application.Run(static _ => Task.CompletedTask);
        var context = new DefaultHttpContext { RequestServices = services };
        // The tables are built for the first request. No route may have this path.
        (context.Request.Method, context.Request.Path) = (HttpMethods.Get, "/gateway");
#pragma warning disable VSTHRD002 // Nothing in this pipeline waits but for the tables, which are built on this thread.
        application.Build()(context).GetAwaiter().GetResult();
#pragma warning restore VSTHRD002
    }
}
