using Gateway.Backends;
using Gateway.Configuration;
using Gateway.Routing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.TestSupport;

/// <summary>Serves every route with the same delegate.</summary>
internal sealed class FakeRouteKind(RequestDelegate handle) : IRouteKind
{
    public List<string> Removed { get; } = [];

    public bool Serves(string socket) => true;

    /// <summary>Name of a route that cannot be made.</summary>
    public string? Refuse { get; init; }

    public RouteHandler Create(RouteDefinition route) => route.Name == Refuse
        ? throw new InvalidOperationException("refused")
        : new(handle, RouteMethods.Of(route.Options, SocketRoles.KindOf(route.Backend.Socket)!.Value), []) { Removed = () =>
            Removed.Add(route.Name) };

    /// <summary>Registers this kind and backends that are always there, in place of the real ones.</summary>
    public void Register(IServiceCollection services)
    {
        foreach (var kind in services.Where(service => service.ServiceType == typeof(IRouteKind)).ToArray()) services.Remove(kind);
        services.AddSingleton<IRouteKind>(this);
        services.AddSingleton<IBackendRegistry, FakeBackends>();
    }
}
