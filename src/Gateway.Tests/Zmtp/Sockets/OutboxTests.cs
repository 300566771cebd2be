using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>What leaves a connection, and in which order, when the other side is slow.</summary>
public class OutboxTests
{
    [Fact]
    public async Task A_ping_before_the_first_byte_of_a_streamed_frame_does_not_hold_the_frame_up()
    {
        await using var pair = await WirePair.ReadyAsync(SocketType.Dealer, "ROUTER");
        Assert.True(pair.Peer.TryBeginStream(0, static (_, writer) => writer.WriteFrame("head"u8, more: true), 300, out var stream));
        await pair.Other.ExpectAsync(ZmtpBytes.Frame("head"u8.ToArray(), more: true), ZmtpBytes.LongHeader(0, 300));
        await pair.Other.SendAsync(ZmtpBytes.Ping(0, "now"), ZmtpBytes.Message("seen"));
        Assert.Equal(["seen"], await pair.Owner.NextAsync());

        var body = Enumerable.Range(0, 300).Select(i => (byte)i).ToArray();
        await stream!.WriteAsync(body, default).AsTask().WaitAsync(ScriptedPeer.Patience);
        await stream.DisposeAsync();
        // The PONG waits for the end of the frame, not longer.
        await pair.Other.ExpectAsync(body, ZmtpBytes.Pong("now"));
    }

    [Fact]
    public async Task Messages_sent_while_a_frame_is_streamed_follow_it_whole()
    {
        await using var pair = await WirePair.ReadyAsync(SocketType.Dealer, "ROUTER");
        Assert.True(pair.Peer.TryBeginStream(0, static (_, _) => { }, 256, out var stream));
        Assert.True(pair.Peer.TrySend(Message.Of("after", "wards")));
        Assert.False(pair.Peer.TryBeginStream(0, static (_, _) => { }, 1, out _));
        await stream!.WriteAsync(new byte[256], default);
        await stream.DisposeAsync();
        await pair.Other.ExpectAsync(ZmtpBytes.LongHeader(0, 256), new byte[256], ZmtpBytes.Message("after", "wards"));
    }

    [Fact]
    public async Task A_streamed_frame_that_is_given_up_closes_the_connection()
    {
        await using var pair = await WirePair.ReadyAsync(SocketType.Dealer, "ROUTER");
        Assert.True(pair.Peer.TryBeginStream(0, static (_, _) => { }, 10, out var stream));
        await stream!.WriteAsync(new byte[9], default);
        await Assert.ThrowsAsync<ArgumentException>(() => stream.WriteAsync(new byte[2], default).AsTask());
        await stream.DisposeAsync();
        Assert.Contains("1 bytes left", (await pair.EndAsync())!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_owner_that_throws_at_the_completion_of_a_send_loses_that_connection_and_not_the_process()
    {
        await using var pair =
            await WirePair.ReadyAsync(SocketType.Dealer, "ROUTER", window: 100, options: new ZmtpOptions { SendHighWaterMark = 1 });
        var failure = new InvalidOperationException("the owner is broken");
        pair.Owner.OnWritable = () => throw failure;
        var text = new string('x', 1_000);
        Assert.True(pair.Peer.TrySend(Message.Of(text)));
        // Full, and so told of room when the other side has read.
        Assert.False(pair.Peer.IsWritable);
        await pair.Other.ExpectAsync(ZmtpBytes.Message(text));
        Assert.Same(failure, await pair.EndAsync());
    }

    [Fact]
    public async Task An_owner_that_throws_in_a_queued_work_item_loses_that_connection_and_not_the_process()
    {
        await using var pair =
            await WirePair.ReadyAsync(SocketType.Dealer, "ROUTER", window: 1_000_000, options: new ZmtpOptions { SendHighWaterMark = 1 });
        var failure = new InvalidOperationException("the owner is broken");
        pair.Owner.OnWritable = () => throw failure;
        // Faster than the work item at some time, and then refused.
        Assert.True(SpinWait.SpinUntil(() => !pair.Peer.TrySend(Message.Of("x"), deferFlush: true), ScriptedPeer.Patience));
        Assert.Same(failure, await pair.EndAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task Subscriptions_to_a_peer_that_does_not_read_are_bounded_and_the_connection_ends_beyond(byte minor)
    {
        await using var pair = await WirePair.ReadyAsync(SocketType.XSub, "XPUB", minor, window: 4_000);
        var topic = new byte[4_000];
        var sent = 0L;
        // Subscribed and taken back again and again, as clients come and go while the publisher stands still.
        while (!pair.Ended.IsCompleted && sent < 64 << 20)
        {
            pair.Peer.SendSubscription(topic, subscribe: true);
            pair.Peer.SendSubscription(topic, subscribe: false);
            sent += 2 * topic.Length;
            await Task.Yield();
        }

        Assert.StartsWith("the peer does not read", (await pair.EndAsync())!.Message, StringComparison.Ordinal);
        Assert.InRange(sent, 4_000_000, 32_000_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task Ten_thousand_subscriptions_reach_a_peer_that_reads_slowly(byte minor)
    {
        // A few thousand bytes at a time leave, so the commands fill many chunks while they wait.
        await using var pair = await WirePair.ReadyAsync(SocketType.XSub, "XPUB", minor, window: 4_000);
        for (var i = 0; i < 10_000; i++) pair.Peer.SendSubscription(Topic(i), subscribe: true);
        for (var i = 0; i < 10_000; i++)
        {
            var expected = minor == 0 ? ZmtpBytes.Frame([1, .. Topic(i)]) : ZmtpBytes.Subscribe(Encoding.ASCII.GetString(Topic(i)));
            await pair.Other.ExpectAsync(expected);
        }

        static byte[] Topic(int i) => Encoding.ASCII.GetBytes($"topic/{i}/of-many");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task Subscriptions_never_fall_into_a_frame_and_in_ZMTP_3_0_never_into_a_message(byte minor)
    {
        await using var pair = await WirePair.ReadyAsync(SocketType.XSub, "XPUB", minor, window: 100);
        // Frames that are copied and frames that are handed over by reference, in chunks of 32 KiB.
        var frames = Enumerable.Range(0, 40).Select(i => new byte[i % 3 == 0 ? 20_000 : 5_000]).ToArray();
        for (var i = 0; i < 5; i++)
        {
            Assert.True(pair.Peer.TrySend(Message.Of(frames)));
            pair.Peer.SendSubscription("t"u8, subscribe: true);
        }

        var (messages, subscriptions) = (0, 0);
        for (var inMessage = 0; messages < 5 || subscriptions < 5;)
        {
            var (flags, body) = await pair.Other.ReceiveFrameAsync();
            if ((flags & 4) != 0 || (body.Length == 2 && minor == 0))
            {
                Assert.True(minor == 1 || inMessage == 0, "a message came between the frames of another");
                subscriptions++;
                continue;
            }

            Assert.Equal(frames[inMessage].Length, body.Length);
            Assert.Equal(++inMessage < frames.Length, (flags & 1) != 0);
            if (inMessage < frames.Length) continue;
            (inMessage, messages) = (0, messages + 1);
        }
    }

    [Fact]
    public async Task A_message_that_fails_while_it_is_written_leaves_no_byte_and_stops_nothing()
    {
        await using var pair = await WirePair.ReadyAsync(SocketType.Dealer, "ROUTER", window: 100);
        Assert.True(pair.Peer.TrySend(Message.Of(new byte[200])));
        foreach (var size in (int[])[0, 10, 32 * 1024, 100_000])
        {
            Assert.True(pair.Peer.TrySend(Message.Of("before")));
            Assert.Throws<InvalidOperationException>(() => pair.Peer.TryWrite(size, static (bytes, writer) =>
            {
                writer.WriteFrame(new byte[bytes], more: true);
                throw new InvalidOperationException("given up");
            }));
            await pair.Other.SendAsync(ZmtpBytes.Ping(0, "x"), ZmtpBytes.Message("seen"));
            Assert.Equal(["seen"], await pair.Owner.NextAsync());
        }

        Assert.Equal(200, (await pair.Other.ReceiveFrameAsync()).Body.Length);
        var seen = new List<string>();
        while (seen.Count < 8)
        {
            var (flags, body) = await pair.Other.ReceiveFrameAsync();
            seen.Add((flags & 4) != 0 ? "PONG" : Encoding.ASCII.GetString(body));
        }

        Assert.Equal((4, 4), (seen.Count(text => text == "PONG"), seen.Count(text => text == "before")));
    }

    [Fact]
    public async Task An_aborted_connection_ends_although_its_sink_is_paused()
    {
        await using var pair = await WirePair.ReadyAsync(SocketType.Dealer, "ROUTER");
        pair.Owner.Pause();
        await pair.Other.SendAsync(ZmtpBytes.Message("one"), ZmtpBytes.Message("two"));
        Assert.Equal(["one"], await pair.Owner.NextAsync());
        pair.Peer.Abort(new ZmtpException("enough"));
        Assert.Equal("enough", (await pair.EndAsync())!.Message);
        Assert.Equal((1, 1, 1), (pair.Owner.Messages.Count, pair.Owner.Closings, pair.Owner.Gone));
    }
}
