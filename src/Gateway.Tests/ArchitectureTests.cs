using System.Text.RegularExpressions;
using Gateway.Tests.TestSupport;
using Zmtp.Wire;

namespace Gateway.Tests;

public class ArchitectureTests
{
    [Fact]
    public void Zmtp_references_neither_Gateway_nor_the_web_framework() =>
        Assert.DoesNotContain(
            typeof(FramePart).Assembly.GetReferencedAssemblies(),
            assembly => assembly.Name!.StartsWith("Microsoft.", StringComparison.Ordinal) || assembly.Name is "Gateway");

    [Theory]
    [InlineData("Zmtp", @"Gateway\.|Microsoft\.AspNetCore")]
    [InlineData("Zmtp/Wire", @"Zmtp\.(Sockets|Security|Transports)|System\.Net|System\.Threading\.Tasks")]
    [InlineData("Zmtp/Security", @"Zmtp\.(Sockets|Transports)|System\.Net")]
    [InlineData("Gateway/Calls", @"Gateway\.(Streams|Publishing|Channels|Hooks|Devices|Demo)")]
    [InlineData("Gateway/Devices", @"Gateway\.(Calls|Streams|Publishing|Channels|Hooks|Demo|Zws)")]
    [InlineData("Gateway/Streams", @"Gateway\.(Calls|Channels|Hooks|Devices|Demo)")]
    [InlineData("Gateway/Templates", @"Gateway\.(Calls|Streams|Channels|Hooks|Devices|Demo)")]
    [InlineData("Gateway/WebSockets", @"Gateway\.(Calls|Streams|Channels|Hooks|Devices|Demo|Backends)")]
    [InlineData("Gateway/Backends", @"Gateway\.(Calls|Streams|Publishing|Channels|Hooks|Devices|Demo|WebSockets|Routing)")]
    [InlineData("Gateway/Configuration", @"Gateway\.(Calls|Streams|Publishing|Channels|Hooks|Devices|Backends)")]
    public void A_room_does_not_see(string room, string forbidden)
    {
        // A room is named by a using, never as part of a longer name (house style), so the usings tell.
        var uses = new Regex($@"^\s*(global )?using (static )?({forbidden})", RegexOptions.Multiline);
        var files = Directory.GetFiles(SourceTree.PathOf(Path.Combine("src", room)), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal));
        Assert.All(files, file => Assert.DoesNotMatch(uses, File.ReadAllText(file)));
    }
}
