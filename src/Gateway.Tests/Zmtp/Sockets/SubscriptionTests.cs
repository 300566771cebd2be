using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

public class SubscriptionTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task A_topic_is_subscribed_once_and_cancelled_when_its_last_user_goes(byte minor)
    {
        using var publisher = new ScriptedListener();
        await using var socket = new SubSocket();
        socket.Subscribe("early");
        socket.Connect(publisher.Endpoint);
        await using var peer = await publisher.AcceptAsync("PUB", minor);
        await peer.ExpectAsync(On("early", minor));
        socket.Subscribe("A");
        socket.Subscribe("A");
        socket.Unsubscribe("A"u8);
        socket.Unsubscribe("never"u8);
        socket.Subscribe("B");
        socket.Unsubscribe("A"u8);
        socket.Unsubscribe("A"u8);
        socket.Subscribe("");
        await peer.ExpectAsync(On("A", minor), On("B", minor), Off("A", minor), On("", minor));
    }

    [Fact]
    [Trait("Proves", "libzmq#2258")]
    public async Task Ten_thousand_topics_are_there_after_every_reconnect()
    {
        using var publisher = new ScriptedListener();
        await using var socket = new SubSocket(new ZmtpOptions { ReconnectMin = TimeSpan.FromMilliseconds(1), ReconnectMax = TimeSpan.FromMilliseconds(5), SendHighWaterMark = 10 });
        var topics = Enumerable.Range(0, 10_000).Select(i => $"t{i}").ToHashSet(StringComparer.Ordinal);
        foreach (var topic in topics) socket.Subscribe(topic);
        socket.Connect(publisher.Endpoint);
        var size = topics.Sum(topic => ZmtpBytes.Subscribe(topic).Length);
        for (var round = 0; round < 100; round++)
        {
            await using var peer = await publisher.AcceptAsync("XPUB");
            var bytes = await peer.ReceiveAsync(size);
            var got = new HashSet<string>(StringComparer.Ordinal);
            for (var at = 0; at < size; at += 2 + bytes[at + 1]) Assert.True(got.Add(Encoding.ASCII.GetString(bytes.AsSpan(at + 12, bytes[at + 1] - 10))));
            Assert.Equal(topics, got);
        }
    }

    [Fact]
    public async Task A_publisher_holds_a_set_for_each_connection()
    {
        await using var socket = new XPubSocket();
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        await using var first = await ScriptedPeer.ConnectAsync(endpoint);
        await first.HandshakeAsync("SUB");
        await first.SendAsync(ZmtpBytes.Subscribe("A"), ZmtpBytes.Subscribe("A"), ZmtpBytes.Frame([1, .. "A"u8]), ZmtpBytes.Cancel("unknown"));
        Assert.Equal("\u0001A", await NextAsync(socket));
        await using var second = await ScriptedPeer.ConnectAsync(endpoint);
        await second.HandshakeAsync("SUB", minor: 0);
        await second.SendAsync(ZmtpBytes.Frame([1, .. "A"u8]), ZmtpBytes.Frame([1, .. "B"u8]));
        Assert.Equal("\u0001B", await NextAsync(socket));
        Assert.Equal(2, socket.Send(Message.Of("A1", "for both")));
        Assert.Equal(1, socket.Send(Message.Of("B", "for one")));
        Assert.Equal(0, socket.Send(Message.Of("C", "for nobody")));
        await first.ExpectAsync(ZmtpBytes.Message("A1", "for both"));
        await second.ExpectAsync(ZmtpBytes.Message("A1", "for both"), ZmtpBytes.Message("B", "for one"));
        await first.SendAsync(ZmtpBytes.Cancel("A"), ZmtpBytes.Subscribe("last"));
        Assert.Equal("\u0001last", await NextAsync(socket));
        Assert.Equal(1, socket.Send(Message.Of("A1", "for one")));
        await second.DisposeAsync();
        Assert.Equal(["\0A", "\0B"], ((string[])[await NextAsync(socket), await NextAsync(socket)]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_was_not_asked_for_is_filtered_by_SUB_and_passed_by_XSUB()
    {
        using var publisher = new ScriptedListener();
        await using var sub = new SubSocket();
        await using var xsub = new XSubSocket();
        sub.Subscribe("A");
        sub.Connect(publisher.Endpoint);
        await using var first = await publisher.AcceptAsync("PUB");
        xsub.Connect(publisher.Endpoint);
        await using var second = await publisher.AcceptAsync("PUB");
        foreach (var peer in (ScriptedPeer[])[first, second]) await peer.SendAsync(ZmtpBytes.Message("B", "other"), ZmtpBytes.Message("A", "asked"));
        Assert.Equal("A", await NextAsync(sub));
        Assert.Equal("B", await NextAsync(xsub));
        xsub.Send(Message.Of("\u0001T"));
        xsub.Send(Message.Of("user", "data"));
        await second.ExpectAsync(ZmtpBytes.Subscribe("T"), ZmtpBytes.Message("user", "data"));
    }

    private static byte[] On(string topic, byte minor) => minor == 0 ? ZmtpBytes.Frame([1, .. Encoding.ASCII.GetBytes(topic)]) : ZmtpBytes.Subscribe(topic);

    private static byte[] Off(string topic, byte minor) => minor == 0 ? ZmtpBytes.Frame([0, .. Encoding.ASCII.GetBytes(topic)]) : ZmtpBytes.Cancel(topic);

    private static async Task<string> NextAsync(XPubSocket socket) => Text(await socket.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience));

    private static async Task<string> NextAsync(SubscribingSocket socket) => Text(await socket.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience));

    private static string Text(Message message)
    {
        using (message) return message.Text(0);
    }
}
