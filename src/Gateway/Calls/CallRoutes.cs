using System.Net.Mime;
using Gateway.Configuration;
using Gateway.Routing;
using Gateway.Zws;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Zmtp.Wire;
using RouteHandler = Gateway.Routing.RouteHandler;

namespace Gateway.Calls;

/// <summary>Makes the endpoints of routes onto REQ, DEALER and CLIENT backends.</summary>
internal sealed class CallRoutes(CallMetrics metrics, GatewayConfiguration configuration, ZwsServices zws, TimeProvider time,
    ILogger<CallRoutes> logger) : IRouteKind
{
    /// <inheritdoc/>
    public bool Serves(string socket) => SocketRoles.KindOf(socket) == RouteKinds.Call;

    /// <inheritdoc/>
    public RouteHandler Create(RouteDefinition route)
    {
        var parsed = new CallRoute(route, configuration.Current.Limits);
        var endpoint = new CallEndpoint(parsed, metrics, time, logger);
        var peers = new ZwsServer(route, SocketType.Router, zws, () => new ZwsCaller(parsed, metrics, parsed.Tags, zws));
        var methods = RouteMethods.Of(route.Options, RouteKinds.Call);
        RequestDelegate handle = methods.Contains(HttpMethods.Get) && peers.WebSocket is not null
            ? context => ZwsServer.IsAsked(context) ? peers.HandleAsync(context) : endpoint.HandleAsync(context)
            : endpoint.HandleAsync;
        return new RouteHandler(handle, methods, Metadata(parsed)) { WebSocket = peers.WebSocket, Removed = peers.Remove };
    }

    private static List<object> Metadata(CallRoute route)
    {
        var metadata = new List<object>
        {
            new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(Stream), route.Reply.HasParts ? ["multipart/mixed", MediaTypeNames.Application.Json] : [route.ContentType]),
        };
        if (route.Request.UsesParts) metadata.Add(new RequestBodyDescription("multipart/mixed"));
        else if (route.Request.UsesBody) metadata.Add(new RequestBodyDescription(route.Options.ContentType ?? CallRoute.DefaultContentType));
        int[] failures = [StatusCodes.Status400BadRequest, StatusCodes.Status413PayloadTooLarge, StatusCodes.Status502BadGateway, StatusCodes.Status503ServiceUnavailable, StatusCodes.Status504GatewayTimeout];
        metadata.AddRange(failures.Select(status => new ProducesResponseTypeMetadata(status, typeof(Microsoft.AspNetCore.Mvc.ProblemDetails), [MediaTypeNames.Application.ProblemJson])));
        return metadata;
    }
}

/// <summary>Registers what calls need.</summary>
internal static class CallServices
{
    /// <summary>Adds the route kind; its rules are <see cref="CallRules"/>.</summary>
    public static IServiceCollection AddCalls(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        return services.AddSingleton<CallMetrics>().AddSingleton<IRouteKind, CallRoutes>();
    }
}
