using System.Diagnostics;
using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Xunit.Abstractions;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Faults;

/// <summary>Row 36 of docs/reliability.md: who speaks something else on the other side's port.</summary>
[Collection("Alone")]
public class WrongProtocolTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("TLS", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00FC\u0003\u0003")]
    [InlineData("a scanner", "\r\n\r\n")]
    public async Task On_a_ZMTP_port_it_is_closed_with_a_named_reason_and_others_are_served(string what, string said)
    {
        var failed = Channel.CreateUnbounded<SocketEvent>();
        await using var service = new PullSocket(new ZmtpOptions
        {
            Events = happened =>
            {
                if (happened.Kind == SocketEventKind.HandshakeFailed) failed.Writer.TryWrite(happened);
            },
        });
        var endpoint = service.Bind("tcp://127.0.0.1:*");
        await using var stranger = await ScriptedPeer.ConnectAsync(endpoint);
        var watch = Stopwatch.StartNew();
        await stranger.SendAsync(said.Select(c => (byte)c).ToArray());
        await stranger.ReceiveToEndAsync();
        output.WriteLine($"{what}: closed after {watch.Elapsed.TotalMilliseconds:0} ms");
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
        Assert.Equal("NotZmtp", (await failed.Reader.ReadAsync().AsTask().WaitAsync(Patience)).Reason);

        await using var honest = new PushSocket();
        honest.Connect(endpoint);
        await honest.SendAsync(Message.Of("good"));
        using var message = await service.ReceiveAsync().AsTask().WaitAsync(Patience);
        Assert.Equal("good", message.Text(0));
    }

    [Fact]
    public async Task ZMTP_on_the_web_port_is_answered_as_a_bad_request_and_closed()
    {
        await using var gateway = await FakeCaller.Replying("fine").StartAsync();
        using var peer = new RawHttpClient(gateway.BaseAddress);
        var watch = Stopwatch.StartNew();
        await peer.SendAsync(ZmtpBytes.Concat(ZmtpBytes.Greeting(), ZmtpBytes.Ready("REQ"), "\r\n\r\n"u8.ToArray()));
        var answer = await peer.ReadToEndAsync();
        output.WriteLine($"closed after {watch.Elapsed.TotalMilliseconds:0} ms: {answer.Split('\r')[0]}");
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
    }

    [Fact]
    public async Task A_web_server_at_a_services_endpoint_is_left_named_and_tried_again()
    {
        using var listener = new ScriptedListener();
        var retrying = Channel.CreateUnbounded<SocketEvent>();
        await using var socket = new PushSocket(new ZmtpOptions
        {
            // Who refused is left alone for the longest wait, which is not what is looked at here.
            ReconnectMin = TimeSpan.FromMilliseconds(10), ReconnectMax = TimeSpan.FromMilliseconds(10),
            Events = happened =>
            {
                if (happened.Kind == SocketEventKind.Retrying) retrying.Writer.TryWrite(happened);
            },
        });
        socket.Connect(listener.Endpoint);
        await using (var web = await listener.AcceptAsync())
        {
            await web.SendAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray());
            Assert.Equal("NotZmtp", (await retrying.Reader.ReadAsync().AsTask().WaitAsync(Patience)).Reason);
        }

        await using var service = await listener.AcceptAsync("PULL");
        await socket.SendAsync(Message.Of("at last")).AsTask().WaitAsync(Patience);
        Assert.Equal("at last"u8.ToArray(), Assert.Single(await service.ReceiveMessageAsync()));
    }
}
