using Gateway.Backends;

namespace Gateway.Tests.TestSupport;

/// <summary>A backend that is what the test says.</summary>
internal sealed class FakeBackend(string name, string socket) : IBackend
{
    public string Name => name;

    public string Socket => socket;

    public IReadOnlyList<EndpointStatus> Endpoints { get; set; } = [];

    public bool IsReady => WhyNotReady is null;

    public string? WhyNotReady { get; set; }
}
