using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Page;

/// <summary>A gateway that nobody has configured, for the tests of a class: looking at it changes nothing.</summary>
public sealed class DemoGateway : IAsyncLifetime
{
    private GatewayHost _gateway = null!;

    /// <summary>Where its page is.</summary>
    public Uri Address => _gateway.BaseAddress;

    public async Task InitializeAsync() => _gateway = await GatewayHost.StartAsync();

    public async Task DisposeAsync() => await _gateway.DisposeAsync();
}
