using Gateway.Configuration;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Calls;

public class CallRulesTests
{
    [Fact]
    public async Task Wrong_template_lines_stand_in_the_list_of_configuration_errors()
    {
        var thrown = await Assert.ThrowsAsync<ConfigurationException>(
            () => FakeCaller.Replying("x").StartAsync("Request:0=price", "Request:1={rout:x}", "Request:2={route:ticker}", "Reply:0={body}", "Reply:1={status}"));
        Assert.Contains("Gateway:Routes:call:Request:1 is \"{rout:x}\"; allowed: {body}, {parts}, {route:name}, ", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("Gateway:Routes:call:Request:2 is \"{route:ticker}\"; allowed: {route:name} with one of id.", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("Gateway:Routes:call:Reply:1 is \"{status}\"; allowed: only {skip} after {body}, and nothing after {parts}.", thrown.Message, StringComparison.Ordinal);
    }
}
