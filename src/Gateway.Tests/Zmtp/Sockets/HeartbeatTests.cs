using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Sockets;

public class HeartbeatTests
{
    [Fact]
    public async Task Every_PING_of_a_read_is_answered_with_its_context_even_between_the_frames_of_a_message()
    {
        await using var pair = await WirePair.ReadyAsync(SocketType.Pull, "PUSH");
        await pair.Other.SendAsync(ZmtpBytes.Concat(
            ZmtpBytes.Ping(0, "a"), ZmtpBytes.Frame([1], more: true), ZmtpBytes.Ping(0, "16 bytes context"), ZmtpBytes.Frame([2]), ZmtpBytes.Ping()));
        await pair.Other.ExpectAsync(ZmtpBytes.Pong("a"), ZmtpBytes.Pong("16 bytes context"), ZmtpBytes.Pong());
        Assert.Equal(2, (await pair.Owner.NextAsync()).Length);
    }

    [Theory]
    [Trait("Proves", "PING shorter than its ttl leaks memory (libzmq process_heartbeat_message)")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(19)]
    public async Task A_malformed_PING_closes_the_connection(int dataLength)
    {
        await using var pair = await WirePair.ReadyAsync(SocketType.Pull, "PUSH");
        await pair.Other.SendAsync(ZmtpBytes.Command("PING", new byte[dataLength]));
        Assert.Equal(ProtocolError.MalformedPing, Assert.IsType<ZmtpProtocolException>(await pair.EndAsync()).Error);
    }

    [Fact]
    [Trait("Proves", "libzmq#1245")]
    public async Task A_silent_peer_is_lost_after_interval_and_timeout()
    {
        var time = new ManualTimeProvider();
        await using var pair = await WirePair.ReadyAsync(SocketType.Pull, "PUSH", options: Options(time, ttl: 12.3));
        time.Advance(TimeSpan.FromSeconds(10));
        await pair.Other.ExpectAsync(ZmtpBytes.Ping(123));
        time.Advance(TimeSpan.FromSeconds(24.9));
        await pair.Other.ExpectAsync(ZmtpBytes.Ping(123), ZmtpBytes.Ping(123));
        Assert.False(pair.Ended.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(ProtocolError.HeartbeatTimeout, Assert.IsType<ZmtpProtocolException>(await pair.EndAsync()).Error);
    }

    [Fact]
    public async Task A_link_that_throws_when_the_timer_aborts_it_ends_its_connection_and_not_the_timers_thread()
    {
        var time = new ManualTimeProvider();
        await using var pair = await WirePair.ReadyAsync(SocketType.Pull, "PUSH", options: Options(time));
        pair.Link.AbortFailure = new InvalidOperationException("the link is broken");
        time.Advance(TimeSpan.FromSeconds(35));
        Assert.Equal(ProtocolError.HeartbeatTimeout, Assert.IsType<ZmtpProtocolException>(await pair.EndAsync()).Error);
        pair.Link.AbortFailure = null;
    }

    [Fact]
    [Trait("Proves", "libzmq#2709")]
    public async Task Any_byte_is_life_even_one_inside_a_frame()
    {
        var time = new ManualTimeProvider();
        await using var pair = await WirePair.ReadyAsync(SocketType.Pull, "PUSH", options: Options(time));
        await pair.Other.SendAsync(ZmtpBytes.LongHeader(0, 100));
        for (var i = 0; i < 100; i++)
        {
            var before = pair.Peer.BytesIn;
            await pair.Other.SendAsync([7]);
            // The byte has to arrive before the clock moves; a PING's answer would say so, but none can be sent inside a frame.
            Assert.True(SpinWait.SpinUntil(() => pair.Peer.BytesIn > before, ScriptedPeer.Patience));
            time.Advance(TimeSpan.FromSeconds(20));
        }

        Assert.Equal(100, (await pair.Owner.NextAsync())[0].Length);
    }

    [Fact]
    public async Task A_peer_of_3_0_is_not_pinged()
    {
        var time = new ManualTimeProvider();
        await using var pair = await WirePair.ReadyAsync(SocketType.Push, "PULL", minor: 0, options: Options(time));
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.True(pair.Peer.TrySend(Message.Of("first")));
        await pair.Other.ExpectAsync(ZmtpBytes.Message("first"));
    }

    [Fact]
    [Trait("Proves", "libzmq#3594")]
    public async Task The_time_to_live_of_a_PING_is_kept_changed_and_taken_back()
    {
        var time = new ManualTimeProvider();
        await using var pair = await WirePair.ReadyAsync(SocketType.Pull, "PUSH", options: new ZmtpOptions { Time = time });
        await pair.Other.SendAsync(ZmtpBytes.Ping(30, "on"), ZmtpBytes.Ping(0, "off"));
        await pair.Other.ExpectAsync(ZmtpBytes.Pong("on"), ZmtpBytes.Pong("off"));
        time.Advance(TimeSpan.FromSeconds(60));
        await pair.Other.SendAsync(ZmtpBytes.Ping(30, "on"));
        await pair.Other.ExpectAsync(ZmtpBytes.Pong("on"));
        time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(pair.Ended.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(3.1));
        Assert.Equal(ProtocolError.HeartbeatTimeout, Assert.IsType<ZmtpProtocolException>(await pair.EndAsync()).Error);
    }

    [Fact]
    public async Task Pings_whose_answers_are_not_read_cost_no_more_than_64_KiB_and_no_message()
    {
        await using var pair = await WirePair.ReadyAsync(SocketType.Pull, "PUSH", window: 4096);
        var pings = ZmtpBytes.Concat([.. Enumerable.Repeat(ZmtpBytes.Ping(0, "0123456789abcdef"), 100)]);
        for (var i = 0; i < 1_000; i++) await pair.Other.SendAsync(pings);
        await pair.Other.SendAsync(ZmtpBytes.Message("last"));
        Assert.Equal(["last"], await pair.Owner.NextAsync());
        var pong = ZmtpBytes.Pong("0123456789abcdef");
        // What waited is there, whole; what came when too much waited already was not answered.
        for (var i = 0; i < 64 * 1024 / pong.Length; i++) await pair.Other.ExpectAsync(pong);
        pair.Peer.Abort(new ZmtpException("seen enough"));
        await pair.EndAsync();
        Assert.InRange(pair.Peer.BytesOut, 64 * 1024, 256 * 1024);
    }

    [Fact]
    public async Task A_peer_that_takes_nothing_of_a_streamed_frame_is_lost_after_interval_and_timeout()
    {
        var time = new ManualTimeProvider();
        await using var pair = await WirePair.ReadyAsync(SocketType.Push, "PULL", window: 4096, options: Options(time));
        Assert.True(pair.Peer.TryBeginStream(0, static (_, _) => { }, 100_000, out var stream));
        var writing = stream!.WriteAsync(new byte[100_000], CancellationToken.None).AsTask();
        time.Advance(TimeSpan.FromSeconds(34.9));
        Assert.False(pair.Ended.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(ProtocolError.HeartbeatTimeout, Assert.IsType<ZmtpProtocolException>(await pair.EndAsync()).Error);
        await Assert.ThrowsAnyAsync<Exception>(() => writing.WaitAsync(ScriptedPeer.Patience));
    }

    [Fact]
    public async Task A_peer_that_has_taken_all_there_is_of_a_streamed_frame_is_not_silent()
    {
        var time = new ManualTimeProvider();
        await using var pair = await WirePair.ReadyAsync(SocketType.Push, "PULL", options: Options(time));
        Assert.True(pair.Peer.TryBeginStream(0, static (_, _) => { }, 100, out var stream));
        await stream!.WriteAsync(new byte[50], CancellationToken.None);
        for (var i = 0; i < 100; i++) time.Advance(TimeSpan.FromSeconds(10));
        await stream.WriteAsync(new byte[50], CancellationToken.None);
        await stream.DisposeAsync();
        Assert.False(pair.Ended.IsCompleted);
    }

    private static ZmtpOptions Options(TimeProvider time, double ttl = 0) => new()
    {
        Time = time, HeartbeatInterval = TimeSpan.FromSeconds(10), HeartbeatTimeout = TimeSpan.FromSeconds(25), HeartbeatTtl = TimeSpan.FromSeconds(ttl),
    };
}
