using System.Net.Mime;
using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Routing;
using Gateway.Zws;
using Zmtp.Wire;
using RouteHandler = Gateway.Routing.RouteHandler;

namespace Gateway.Publishing;

/// <summary>Makes the endpoints of routes onto PUB, XPUB, RADIO, PUSH and SCATTER backends.</summary>
internal sealed class PublishRoutes(ZwsServices zws, TimeProvider time) : IRouteKind
{
    /// <inheritdoc/>
    public bool Serves(string socket) => SocketRoles.KindOf(socket) is RouteKinds.Publish or RouteKinds.Push;

    /// <inheritdoc/>
    public RouteHandler Create(RouteDefinition route)
    {
        var kind = SocketRoles.KindOf(route.Backend.Socket)!.Value;
        var endpoint = new PublishEndpoint(route, hasTopic: kind == RouteKinds.Publish, time);
        var isPush = kind == RouteKinds.Push;
        var maxBytes = route.Options.MaxBodySize;
        var peers = new ZwsServer(
            route, isPush ? SocketType.Pull : SocketType.XSub, zws,
            () => new ZwsSender(route.Name, (IPublisher)route.Backend, subscribes: !isPush, maxBytes, zws));
        return new RouteHandler(endpoint.HandleAsync, RouteMethods.Of(route.Options, kind), Metadata(route, kind)) { WebSocket = peers.WebSocket, Removed = peers.Remove };
    }

    private static List<object> Metadata(RouteDefinition route, RouteKinds kind)
    {
        var metadata = new List<object>
        {
            new RequestBodyDescription(route.Options.ContentType ?? MediaTypeNames.Application.Octet),
            new ProducesResponseTypeMetadata(StatusCodes.Status202Accepted, typeof(PublishedDocument), [MediaTypeNames.Application.Json]),
        };
        int[] failures = [StatusCodes.Status400BadRequest, StatusCodes.Status411LengthRequired, StatusCodes.Status413PayloadTooLarge];
        if (kind == RouteKinds.Push) failures = [.. failures, StatusCodes.Status503ServiceUnavailable];
        metadata.AddRange(failures.Select(status => new ProducesResponseTypeMetadata(
            status, typeof(Microsoft.AspNetCore.Mvc.ProblemDetails), [MediaTypeNames.Application.ProblemJson])));
        return metadata;
    }
}

/// <summary>Registers what publishing needs.</summary>
internal static class PublishRegistration
{
    /// <summary>Adds the route kind.</summary>
    public static IServiceCollection AddPublishing(this IServiceCollection services) => services.AddSingleton<IRouteKind, PublishRoutes>();
}
