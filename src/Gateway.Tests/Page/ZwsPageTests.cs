using System.Diagnostics;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Page;

/// <summary>jszmq in a browser, against the routes of a gateway.</summary>
[Collection(PageTestGroup.Name)]
public class ZwsPageTests(Chromium chromium)
{
    [Fact]
    public async Task A_page_subscribes_and_asks_with_jszmq()
    {
        await using var publisher = new XPubSocket();
        await using var service = new RepSocket();
        await using var gateway = await GatewayHost.StartAsync(
            "Gateway:Backends:quotes:Socket=SUB", $"Gateway:Backends:quotes:Connect:0={publisher.Bind("tcp://127.0.0.1:*")}",
            "Gateway:Backends:add:Socket=REQ", $"Gateway:Backends:add:Connect:0={service.Bind("tcp://127.0.0.1:*")}",
            "Gateway:Routes:quotes:Path=/quotes", "Gateway:Routes:quotes:Backend=quotes", "Gateway:Routes:add:Path=/add", "Gateway:Routes:add:Backend=add");
        await using var page = await chromium.OpenAsync(gateway.BaseAddress, script: await BundleAsync());
        var subscribed = page.Page.EvaluateAsync<string>(
            """
            () => new Promise(resolve => {
              const socket = new jszmq.Sub()
              socket.on('message', (...frames) => resolve(frames.map(String).join('|')))
              socket.subscribe('EUR')
              socket.connect(location.origin.replace('http', 'ws') + '/quotes')
            })
            """);
        // The console page has subscriptions of its own.
        for (var subscription = ""; subscription != "\u0001EUR";)
        {
            using var message = await publisher.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            subscription = message.Text(0);
        }

        publisher.Send(Message.Of("USDJPY", "150"));
        publisher.Send(Message.Of("EURUSD", "1.08"));
        Assert.Equal("EURUSD|1.08", await subscribed.WaitAsync(ScriptedPeer.Patience));

        var asked = page.Page.EvaluateAsync<string>(
            """
            () => new Promise(resolve => {
              const socket = new jszmq.Req()
              socket.on('message', (...frames) => resolve(frames.map(String).join('|')))
              socket.connect(location.origin.replace('http', 'ws') + '/add')
              socket.send(['2', '40'])
            })
            """);
        using (var request = await service.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Assert.Equal(("2", "40"), (request.Text(0), request.Text(1)));
        service.Send(Message.Of("42"));
        Assert.Equal("42", await asked.WaitAsync(ScriptedPeer.Patience));
    }

    private static async Task<string> BundleAsync()
    {
        var start = new ProcessStartInfo("node", ["bundle-jszmq.mjs"]) { WorkingDirectory = SourceTree.PathOf("src/Gateway.Tests/Peers"), RedirectStandardOutput = true, UseShellExecute = false };
        using var node = Process.Start(start)!;
        var script = await node.StandardOutput.ReadToEndAsync().WaitAsync(ScriptedPeer.Patience);
        await node.WaitForExitAsync().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal(0, node.ExitCode);
        return script;
    }
}
