using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Proxies;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Proxies;

/// <summary>Large last frames: who delivers or takes them badly costs nobody else.</summary>
public class StreamingTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // A body of 4 MiB; what is announced need not come.
    private static readonly byte[] LargeHeader = [2, 0, 0, 0, 0, 0, 0x40, 0, 0];

    // More than the system's buffers take.
    private static readonly byte[] HugeHeader = [2, 0, 0, 0, 0, 4, 0, 0, 0];

    [Fact]
    public async Task A_frame_that_one_of_several_senders_breaks_off_costs_no_worker_its_connection()
    {
        await using var proxy = new ZmtpProxy(new PullSocket(), new PushSocket());
        var front = proxy.Frontend.Bind("tcp://127.0.0.1:*");
        await using var worker = await PeerAsync("PULL", proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await using var honest = await PeerAsync("PUSH", front);
        var attacker = await PeerAsync("PUSH", front);
        await ProxyTests.EventuallyAsync(() => Ready(proxy.Frontend) == 2 && Ready(proxy.Backend) == 1);
        await attacker.SendAsync(LargeHeader, new byte[100_000]);
        await ProxyTests.EventuallyAsync(() => proxy.Frontend.Endpoints.Any(e => e.Peer is { BytesIn: > 100_000 }));
        await attacker.DisposeAsync();
        await ProxyTests.EventuallyAsync(() => Ready(proxy.Frontend) == 1);
        await honest.SendAsync(ZmtpBytes.Frame("job"u8.ToArray()));
        await worker.ExpectAsync(ZmtpBytes.Frame("job"u8.ToArray()));
        Assert.Equal(1, Ready(proxy.Backend));
    }

    [Fact]
    public async Task Large_frames_of_several_senders_arrive_whole()
    {
        await using var proxy = new ZmtpProxy(new PullSocket(), new PushSocket());
        var front = proxy.Frontend.Bind("tcp://127.0.0.1:*");
        await using var worker = new PullSocket();
        worker.Connect(proxy.Backend.Bind("tcp://127.0.0.1:*"));
        var pushers = new[] { new PushSocket(), new PushSocket() };
        foreach (var pusher in pushers) pusher.Connect(front);
        await ProxyTests.EventuallyAsync(() => Ready(proxy.Frontend) == 2 && Ready(proxy.Backend) == 1);
        foreach (var pusher in pushers) await pusher.SendAsync(Message.Of(new byte[5 << 20]));
        for (var i = 0; i < 2; i++)
        {
            using var message = await worker.ReceiveAsync().AsTask().WaitAsync(Patience);
            Assert.Equal(5 << 20, message.Length);
        }

        foreach (var pusher in pushers) await pusher.DisposeAsync();
    }

    [Fact]
    public async Task A_message_that_is_too_long_to_be_held_ends_the_connection_of_its_sender()
    {
        await using var proxy = new ZmtpProxy(new PullSocket(), new PushSocket());
        var front = proxy.Frontend.Bind("tcp://127.0.0.1:*");
        await using var other = await PeerAsync("PUSH", front);
        await using var sender = await PeerAsync("PUSH", front);
        await ProxyTests.EventuallyAsync(() => Ready(proxy.Frontend) == 2);
        await sender.SendAsync([2, 0, 0, 0, 1, 0, 0, 0, 0]);
        Assert.Empty(await sender.ReceiveToEndAsync());
        await ProxyTests.EventuallyAsync(() => Ready(proxy.Frontend) == 1);
    }

    [Fact]
    public async Task While_a_frame_streams_to_one_worker_others_messages_go_to_the_other_workers()
    {
        await using var proxy = new ZmtpProxy(new PullSocket(), new PushSocket());
        var (front, back) = (proxy.Frontend.Bind("tcp://127.0.0.1:*"), proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await using var first = await PeerAsync("PUSH", front);
        await using var stalled = await PeerAsync("PULL", back);
        await ProxyTests.EventuallyAsync(() => Ready(proxy.Frontend) == 1 && Ready(proxy.Backend) == 1);
        await first.SendAsync(HugeHeader, [1]);
        await stalled.ExpectAsync(HugeHeader, [1]);
        await using var free = await PeerAsync("PULL", back);
        await using var second = await PeerAsync("PUSH", front);
        await ProxyTests.EventuallyAsync(() => Ready(proxy.Frontend) == 2 && Ready(proxy.Backend) == 2);
        for (byte i = 0; i < 10; i++)
        {
            await second.SendAsync(ZmtpBytes.Frame([i]));
            await free.ExpectAsync(ZmtpBytes.Frame([i]));
        }
    }

    [Fact]
    public async Task What_waits_for_the_only_worker_comes_when_the_frame_that_it_gets_is_over()
    {
        await using var proxy = new ZmtpProxy(new PullSocket(), new PushSocket());
        var front = proxy.Frontend.Bind("tcp://127.0.0.1:*");
        await using var first = await PeerAsync("PUSH", front);
        await using var worker = await PeerAsync("PULL", proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await ProxyTests.EventuallyAsync(() => Ready(proxy.Frontend) == 1 && Ready(proxy.Backend) == 1);
        await first.SendAsync(LargeHeader, [1]);
        await worker.ExpectAsync(LargeHeader, [1]);
        await using var second = await PeerAsync("PUSH", front);
        await second.SendAsync(ZmtpBytes.Frame([9]));
        await ProxyTests.EventuallyAsync(() => proxy.Statistics.FromFrontend.Waiting == 1);
        await first.SendAsync(new byte[(4 << 20) - 1]);
        await worker.ReceiveAsync((4 << 20) - 1);
        await worker.ExpectAsync(ZmtpBytes.Frame([9]));
    }

    [Fact]
    public async Task A_worker_that_takes_nothing_of_a_frame_loses_its_connection_and_the_others_go_on()
    {
        await using var proxy =
            new ZmtpProxy(new PullSocket(), new PushSocket(), new ProxyOptions { StreamTimeout = TimeSpan.FromSeconds(0.5) });
        var (front, back) = (proxy.Frontend.Bind("tcp://127.0.0.1:*"), proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await using var source = new PushSocket();
        source.Connect(front);
        await using var stopped = await PeerAsync("PULL", back);
        await ProxyTests.EventuallyAsync(() => Ready(proxy.Frontend) == 1 && Ready(proxy.Backend) == 1);
        await source.SendAsync(Message.Of(new byte[64 << 20]));
        // It has begun there: the other one comes too late for it.
        await stopped.ReceiveAsync(9);
        await using var working = await PeerAsync("PULL", back);
        await source.SendAsync(Message.Of("after"u8.ToArray()));
        await working.ExpectAsync(ZmtpBytes.Frame("after"u8.ToArray()));
        Assert.Equal((1, 1L), (Ready(proxy.Backend), proxy.Statistics.FromFrontend.Lost));
    }

    [Fact]
    public async Task A_sender_that_does_not_go_on_with_its_frame_loses_its_connection()
    {
        await using var proxy =
            new ZmtpProxy(new PullSocket(), new PushSocket(), new ProxyOptions { StreamTimeout = TimeSpan.FromSeconds(0.5) });
        await using var source = await PeerAsync("PUSH", proxy.Frontend.Bind("tcp://127.0.0.1:*"));
        await using var worker = await PeerAsync("PULL", proxy.Backend.Bind("tcp://127.0.0.1:*"));
        await ProxyTests.EventuallyAsync(() => Ready(proxy.Frontend) == 1 && Ready(proxy.Backend) == 1);
        await source.SendAsync(LargeHeader, [1]);
        Assert.Empty(await source.ReceiveToEndAsync());
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(9, true)]
    [InlineData(10, false)]
    public async Task A_source_has_to_keep_the_pace(int bytes, bool isEnded)
    {
        var (time, target) = (new ManualTimeProvider(), new HeldStream(1_000) { IsOpen = true });
        await using var pair = await Sockets.WirePair.ReadyAsync(global::Zmtp.Wire.SocketType.Pull, "PUSH");
        var large = new LargeFrame(1_000, pair.Peer);
        large.Begin(target, time, TimeSpan.FromSeconds(10), bytesPerSecond: 1);
        for (var i = 0; i < 3; i++)
        {
            large.Write(new byte[10], isLast: false);
            time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.False(pair.Ended.IsCompleted);
        large.Write(new byte[bytes], isLast: false);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(isEnded, !pair.Peer.IsWritable);
        Assert.False(target.IsDisposed);
        large.End();
    }

    [Fact]
    public async Task A_target_that_takes_nothing_is_given_up_and_not_the_source()
    {
        var (time, target) = (new ManualTimeProvider(), new HeldStream(1_000));
        await using var pair = await Sockets.WirePair.ReadyAsync(global::Zmtp.Wire.SocketType.Pull, "PUSH");
        var large = new LargeFrame(1_000, pair.Peer);
        large.Begin(target, time, TimeSpan.FromSeconds(10), bytesPerSecond: 1);
        Assert.False(large.Write(new byte[500], isLast: false));
        time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(target.IsDisposed);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(target.IsDisposed);
        Assert.True(pair.Peer.IsWritable);
        await large.SettleAsync(CancellationToken.None);
        Assert.Equal(LargeState.Discarded, large.State);
        large.End();
    }

    private static int Ready(ZmtpSocket socket) => socket.Endpoints.Count(e => e.Phase == EndpointPhase.Ready);

    private static async Task<ScriptedPeer> PeerAsync(string type, string endpoint)
    {
        var peer = await ScriptedPeer.ConnectAsync(endpoint);
        await peer.HandshakeAsync(type);
        return peer;
    }

    /// <summary>Takes bytes at once, or none until it is given up.</summary>
    private sealed class HeldStream : FrameStream
    {
        private readonly TaskCompletionSource _end = new();

        public HeldStream(long length) => Left = length;

        public bool IsOpen { get; init; }

        public bool IsDisposed => _end.Task.IsCompleted;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            if (!IsOpen)
            {
                await _end.Task;
                throw new ZmtpException("given up");
            }

            Left -= bytes.Length;
        }

        public override ValueTask DisposeAsync()
        {
            _end.TrySetResult();
            return default;
        }
    }
}
