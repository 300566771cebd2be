using Gateway.Configuration;
using Gateway.Templates;

namespace Gateway.Tests.Templates;

public class RequestRulesTests
{
    [Theory]
    [InlineData("CLIENT", 2, "Gateway:Routes:r:Request has 2 frames; allowed: one frame, for a CLIENT socket sends no others.")]
    [InlineData("scatter", 2, "Gateway:Routes:r:Request has 2 frames; allowed: one frame, for a SCATTER socket sends no others.")]
    [InlineData("RADIO", 1, "Gateway:Routes:r:Request has 1 frames; allowed: two frames, the group and the body, for a RADIO socket sends no others.")]
    [InlineData("CLIENT", 1, null)]
    [InlineData("RADIO", 2, null)]
    [InlineData("PUSH", 2, null)]
    public void A_socket_whose_messages_have_one_frame_says_what_it_does_not_take(string socket, int frames, string? problem)
    {
        var options = new WebRouteOptions { Request = [.. Enumerable.Repeat("{body}", frames)] };
        var route = new ConfiguredRoute("Gateway:Routes:r", RouteKinds.Push, options, new BackendOptions { Socket = socket }, new HashSet<string>(StringComparer.Ordinal));
        Assert.Equal(problem is null ? [] : [problem], new RequestRules().Check(route).Select(found => found.ToString()));
    }
}
