using System.Net;
using System.Net.Sockets;
using Gateway.Configuration;
using Gateway.Streams;
using Gateway.Tests.TestSupport;
using Gateway.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Streams;

/// <summary>A subscriber whose connection does what the test says, step by step.</summary>
public sealed class SubscriberTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _clock = new();
    private readonly SenderLoops _loops = new(NullLogger<SenderLoops>.Instance);
    private readonly SegmentPool _pool = new();
    private readonly FakeMessageSource _source = new("feed");
    private readonly StreamCounters _counters = new("route", "feed");
    private readonly StepWire _wire = new();
    private readonly WebSocketSubscriber _subscriber;
    private readonly Subscription _subscription;
    private readonly WebSocketTiming _timing;
    private readonly StreamFormat _format;
    private readonly TopicHub _hub;
    private int _aborts;

    public SubscriberTests()
    {
        _timing = new WebSocketTiming(
            _clock, TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(500));
        _hub = new TopicHub(_source, new BackendOptions(), _loops, _pool);
        _format = new StreamFormat(new WebRouteOptions(), _counters);
        _subscription = _hub.Subscribe(_format, []);
        _subscriber = new WebSocketSubscriber(_subscription, _wire, _timing, () => Interlocked.Increment(ref _aborts));
    }

    public void Dispose() => _loops.Dispose();

    [Fact]
    public async Task What_came_between_the_subscription_and_the_joining_is_sent()
    {
        await _source.SendAsync([1]);
        await _source.SendAsync([2]);
        _subscriber.Join();
        Assert.Equal([0x82, 1, 1], await _wire.NextAsync(3));
        Assert.Equal([0x82, 1, 2], await _wire.NextAsync(3));
    }

    [Fact]
    public async Task A_connection_that_throws_ends_alone()
    {
        _subscriber.Join();
        await _source.SendAsync([1]);
        Assert.Equal([0x82, 1, 1], await _wire.NextAsync(3));
        using var other = new OtherSubscriber(this);
        _wire.Failure = new InvalidOperationException("broken");
        await _source.SendAsync([2]);
        Assert.Equal([0x82, 1, 2], await other.Wire.NextAsync(3));
        await _subscriber.LeaveAsync().WaitAsync(Bound);
        Assert.Equal(1, _aborts);
        await _source.SendAsync([3]);
        Assert.Equal([0x82, 1, 3], await other.Wire.NextAsync(3));
    }

    [Fact]
    public async Task What_never_matched_is_told_at_no_cost_for_thousands_of_subscriptions()
    {
        for (var i = 0; i < 10_000; i++) _hub.Subscribe(_format, [BitConverter.GetBytes(i + 1_000_000)]);
        await _source.SendAsync([1]);
        _hub.NeverMatched(3);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(3, _hub.NeverMatched(3).Count);
        // The lock is held for three steps of a list: what looked at all of them took megabytes and 16 ms.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
    }

    [Fact]
    public async Task A_completion_that_throws_ends_its_connection_and_not_the_process()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(listener.LocalEndpoint);
        using var server = await listener.AcceptSocketAsync();
        var completion = new BrokenCompletion();
        // More than the kernel takes, so that it completes on a thread of the runtime's.
        new SocketWire(server).BeginSend(new byte[64 * 1024 * 1024], completion);
        Assert.False(completion.Failure.Task.IsCompleted);
        client.Close(timeout: 0);
        Assert.Equal("completed: -1", (await completion.Failure.Task.WaitAsync(Bound)).Message);
    }

    [Fact]
    public async Task An_item_that_throws_is_logged_and_ends_and_the_loop_goes_on()
    {
        var logger = new ListLogger<SenderLoops>();
        using var loop = new SenderLoop(0, logger);
        var (broken, next) = (new Item(() => throw new InvalidOperationException("broken")), new Item(static () => { }));
        loop.Post(broken);
        await broken.Failed.Task.WaitAsync(Bound);
        loop.Post(next);
        await next.Ran.Task.WaitAsync(Bound);
        Assert.Equal(["Error: A sender failed in one of its items and goes on with the next"], logger.Lines);
    }

    [Fact]
    public async Task A_write_that_stalls_for_the_deadline_is_cut_and_not_before()
    {
        await BlockInsideFirstMessageAsync();
        Tick(TimeSpan.Zero);
        Tick(TimeSpan.FromSeconds(9));
        Assert.Equal(0, _aborts);
        Tick(TimeSpan.FromSeconds(1));
        Assert.Equal(1, _aborts);
        Assert.Equal(1, _counters.CutSubscribers);
        _wire.Finish(-1);
        await _subscriber.LeaveAsync().WaitAsync(Bound);
        _subscription.End();
        Assert.Equal(0, _pool.RentedBytes);
    }

    [Fact]
    public async Task A_pong_waits_for_the_end_of_the_message_that_is_being_sent()
    {
        await BlockInsideFirstMessageAsync();
        await _subscriber.OnPingAsync("p"u8.ToArray());
        await _source.SendAsync([2]);
        _wire.AllowAll();
        _wire.Finish(_wire.Waiting.Length);
        Assert.Equal([0x82, 4, 1, 1, 1, 1], await _wire.NextAsync(6));
        Assert.Equal([0x8A, 1, (byte)'p'], await _wire.NextAsync(3));
        Assert.Equal([0x82, 1, 2], await _wire.NextAsync(3));
    }

    [Fact]
    public async Task A_close_follows_the_message_that_is_being_sent_and_nothing_follows_it()
    {
        await BlockInsideFirstMessageAsync();
        _subscriber.Close(WebSocketCloseCode.GoingAway);
        await _source.SendAsync([2]);
        var left = _subscriber.LeaveAsync();
        Assert.False(left.IsCompleted);
        _wire.AllowAll();
        _wire.Finish(_wire.Waiting.Length);
        await left.WaitAsync(Bound);
        Assert.Equal([0x82, 4, 1, 1, 1, 1, 0x88, 2, 0x03, 0xE9], _wire.Sent);
    }

    [Fact]
    public async Task Leaving_while_idle_completes_at_once_and_gives_everything_back()
    {
        _subscriber.Join();
        await _source.SendAsync([1]);
        await _wire.NextAsync(3);
        await _subscriber.LeaveAsync().WaitAsync(Bound);
        _subscription.End();
        Assert.Equal(["+", "-"], _source.Asked);
        Assert.Equal(0, _pool.RentedBytes);
    }

    [Fact]
    public async Task A_control_frame_that_blocks_holds_no_message_up_nor_cuts_one()
    {
        _subscriber.Join();
        _wire.Allow(1);
        await _subscriber.OnPingAsync("p"u8.ToArray());
        await _wire.BlockedAsync();
        await _source.SendAsync([2]);
        await _source.SendAsync([3]);
        _wire.AllowAll();
        _wire.Finish(_wire.Waiting.Length);
        Assert.Equal([0x8A, 1, (byte)'p'], await _wire.NextAsync(3));
        Assert.Equal([0x82, 1, 2], await _wire.NextAsync(3));
        Assert.Equal([0x82, 1, 3], await _wire.NextAsync(3));
        Assert.Equal(0, _counters.DroppedMessages);
    }

    private async Task BlockInsideFirstMessageAsync()
    {
        _subscriber.Join();
        _wire.Allow(3);
        await _source.SendAsync([1, 1, 1, 1]);
        await _wire.BlockedAsync();
    }

    private void Tick(TimeSpan later)
    {
        _clock.Advance(later);
        _subscriber.OnTick(_clock.GetTimestamp());
    }

    private sealed class OtherSubscriber : IDisposable
    {
        private readonly Subscription _subscription;
        private readonly WebSocketSubscriber _subscriber;

        public OtherSubscriber(SubscriberTests test)
        {
            _subscription = test._hub.Subscribe(test._format, []);
            _subscriber = new WebSocketSubscriber(_subscription, Wire, test._timing, static () =>
                Assert.Fail("The other one was aborted."));
            _subscriber.Join();
        }

        public StepWire Wire { get; } = new();

        public void Dispose() => _ = _subscriber.LeaveAsync();
    }

    private sealed class BrokenCompletion : IWriteCompletion
    {
        public TaskCompletionSource<Exception> Failure { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void WriteCompleted(int sent) => throw new InvalidOperationException($"completed: {sent}");

        public void CompletionFailed(Exception failure) => Failure.TrySetResult(failure);
    }

    private sealed class Item(Action run) : LoopItem
    {
        public TaskCompletionSource Ran { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Failed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void Run()
        {
            run();
            Ran.TrySetResult();
        }

        public override void Fail() => Failed.TrySetResult();
    }

    /// <summary>Takes as many bytes as it is allowed to, then blocks until the test finishes the write that waits.</summary>
    private sealed class StepWire : SubscriberWire
    {
        private readonly Lock _gate = new();
        private readonly List<byte> _sent = [];
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private IWriteCompletion? _blocked;
        private int _allowed = int.MaxValue;
        private int _read;

        public override int MaxWaitingWrite => 1024;

        public ReadOnlyMemory<byte> Waiting { get; private set; }

        public byte[] Sent
        {
            get { lock (_gate) return [.. _sent]; }
        }

        public void Allow(int bytes) => _allowed = bytes;

        public void AllowAll() => _allowed = int.MaxValue;

        public Exception? Failure { get; set; }

        public override int TrySend(ReadOnlySpan<byte> bytes)
        {
            if (Failure is { } failure) throw failure;
            lock (_gate)
            {
                var taken = Math.Min(bytes.Length, _allowed);
                _allowed -= taken;
                _sent.AddRange(bytes[..taken]);
                Changed();
                return taken;
            }
        }

        public override void BeginSend(ReadOnlyMemory<byte> bytes, IWriteCompletion subscriber)
        {
            lock (_gate)
            {
                (Waiting, _blocked) = (bytes, subscriber);
                Changed();
            }
        }

        public void Finish(int sent)
        {
            lock (_gate) _sent.AddRange(Waiting.Span[..Math.Max(sent, 0)]);
            _blocked!.WriteCompleted(sent);
        }

        public Task BlockedAsync() => UntilAsync(() => _blocked is not null);

        public async Task<byte[]> NextAsync(int count)
        {
            await UntilAsync(() => _sent.Count - _read >= count);
            lock (_gate)
            {
                _read += count;
                return [.. _sent.Skip(_read - count).Take(count)];
            }
        }

        private async Task UntilAsync(Func<bool> holds)
        {
            while (true)
            {
                Task changed;
                lock (_gate)
                {
                    if (holds()) return;
                    changed = _changed.Task;
                }

                await changed.WaitAsync(Bound);
            }
        }

        private void Changed()
        {
            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
