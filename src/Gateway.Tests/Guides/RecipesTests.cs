using System.Text.RegularExpressions;
using Gateway.Tests.TestSupport;
using Zmtp.Sockets;

namespace Gateway.Tests.Guides;

public class RecipesTests
{
    // Until the test ends its standard input: norm needs some messages before a listener has found its sender.
    private const string Publisher =
        """
        import sys, threading, time, os, zmq
        socket = zmq.Context().socket(zmq.PUB)
        socket.connect(sys.argv[1])
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        while True:
            socket.send_multipart([b"quotes.EURUSD", b"1.08"])
            time.sleep(0.05)
        """;

    [Fact]
    public async Task The_forwarder_in_front_of_norm_brings_its_messages_to_us()
    {
        using var folder = new TemporaryDirectory();
        var guide = await File.ReadAllTextAsync(SourceTree.PathOf("docs/recipes.md"));
        var code = Regex.Match(guide, "```python\n(?<code>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture).Groups["code"].Value;
        Assert.Equal(10, code.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        await File.WriteAllTextAsync(folder.File("forwarder.py"), code);
        await File.WriteAllTextAsync(folder.File("publisher.py"), Publisher);
        var ports = FreePort.Take(2);
        var (outside, inside) = ($"norm://127.0.0.1;239.192.1.1:{ports[0]}", $"tcp://127.0.0.1:{ports[1]}");
        await using var forwarder = PeerProcess.StartScript(folder.File("forwarder.py"), outside, inside);
        await using var publisher = PeerProcess.StartScript(folder.File("publisher.py"), outside);
        await using var subscriber = new SubSocket();
        subscriber.Subscribe("quotes.");
        subscriber.Connect(inside);
        using var message = await subscriber.ReceiveAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(("quotes.EURUSD", "1.08"), (message.Text(0), message.Text(1)));
    }
}
