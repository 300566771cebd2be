using System.Net.Mime;
using Gateway.Configuration;
using Gateway.Routing;
using Gateway.Zws;
using RouteHandler = Gateway.Routing.RouteHandler;

namespace Gateway.Streams;

/// <summary>Makes the endpoints of routes onto SUB, XSUB, PULL, GATHER and DISH backends.</summary>
internal sealed class StreamRoutes(StreamServices streams, ZwsServices zws, GatewayConfiguration configuration, ILogger<StreamRoutes> logger) : IRouteKind
{
    /// <inheritdoc/>
    public bool Serves(string socket) => SocketRoles.KindOf(socket) == RouteKinds.Stream;

    /// <inheritdoc/>
    public RouteHandler Create(RouteDefinition route)
    {
        var hub = streams.Hub(route.Backend, route.BackendOptions);
        var counters = streams.Metrics.Add(route.Name, route.Backend.Name);
        var endpoint = new StreamEndpoint(route, hub, counters, streams, zws, configuration, logger);
        return new RouteHandler(endpoint.HandleAsync, RouteMethods.Of(route.Options, RouteKinds.Stream), Metadata())
        {
            Removed = endpoint.Remove,
        };
    }

    private static List<object> Metadata()
    {
        int[] failures = [StatusCodes.Status400BadRequest, StatusCodes.Status426UpgradeRequired];
        return
        [
            new ProducesResponseTypeMetadata(StatusCodes.Status101SwitchingProtocols, typeof(void), []),
            .. failures.Select(status => new ProducesResponseTypeMetadata(
                status, typeof(Microsoft.AspNetCore.Mvc.ProblemDetails), [MediaTypeNames.Application.ProblemJson])),
        ];
    }
}
