using System.Collections.Concurrent;
using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Transports;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>How endpoints come back, and how they end.</summary>
public class EndpointTests
{
    [Fact]
    public async Task Waits_double_from_the_first_to_the_longest_and_are_spread_over_their_upper_half()
    {
        var time = new ManualTimeProvider();
        var delays = Channel.CreateUnbounded<TimeSpan>();
        var jitter = new Queue<double>([0, 1, 0.5, 0, 1, 1, 1, 0]);
        using var closed = new ScriptedListener();
        var endpoint = closed.Endpoint;
        closed.Dispose();
        await using var socket = new DealerSocket(new ZmtpOptions
        {
            Time = time, Jitter = () => jitter.TryDequeue(out var next) ? next : 1, ConnectTimeout = TimeSpan.Zero, ReconnectMin = TimeSpan.FromMilliseconds(100), ReconnectMax = TimeSpan.FromSeconds(2),
            Events = e => _ = e.Kind == SocketEventKind.Retrying && delays.Writer.TryWrite(e.Delay),
        });
        socket.Connect(endpoint);
        foreach (var expected in (int[])[100, 400, 600, 800, 2_000, 2_000, 2_000, 1_000])
        {
            // The timer is made after the event that tells of it, so the clock moves until the timer has been met.
            using var late = new CancellationTokenSource(ScriptedPeer.Patience);
            while (delays.Reader.Count == 0)
            {
                late.Token.ThrowIfCancellationRequested();
                time.Advance(TimeSpan.FromSeconds(2));
                await Task.Yield();
            }

            Assert.True(delays.Reader.TryRead(out var delay));
            Assert.Equal(expected, delay.TotalMilliseconds);
            Assert.Equal("connection refused: nothing listens there", Assert.Single(socket.Endpoints).LastError);
        }
    }

    [Fact]
    public async Task A_peer_that_refuses_is_tried_again_at_the_longest_wait_and_shown_as_refused()
    {
        using var listener = new ScriptedListener();
        var retries = Channel.CreateUnbounded<SocketEvent>();
        await using var socket = new DealerSocket(new ZmtpOptions
        {
            ReconnectMax = TimeSpan.FromMinutes(5), Jitter = () => 1, Events = e => _ = e.Kind == SocketEventKind.Retrying && retries.Writer.TryWrite(e),
        });
        socket.Connect(listener.Endpoint);
        await using var peer = await listener.AcceptAsync("PUB");
        Assert.Equal(TimeSpan.FromMinutes(5), (await retries.Reader.ReadAsync().AsTask().WaitAsync(ScriptedPeer.Patience)).Delay);
        var state = Assert.Single(socket.Endpoints);
        Assert.Equal(EndpointPhase.Refused, state.Phase);
        Assert.Contains("PUB", state.LastError, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("connecting")]
    [InlineData("handshaking")]
    [InlineData("backing off")]
    [InlineData("accepted")]
    public async Task A_socket_closes_in_every_phase_of_its_endpoints(string phase)
    {
        using var listener = new ScriptedListener();
        var retries = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var socket = new PairSocket(new ZmtpOptions { ReconnectMin = TimeSpan.FromHours(1), ReconnectMax = TimeSpan.FromHours(1), Events = e => _ = e.Kind == SocketEventKind.Retrying && retries.TrySetResult() });
        if (phase == "accepted")
        {
            await using var peer = await ScriptedPeer.ConnectAsync(socket.Bind("tcp://127.0.0.1:*"));
            await peer.ReceiveAsync(64);
            await socket.DisposeAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Empty(await peer.ReceiveToEndAsync());
            return;
        }

        socket.Connect(listener.Endpoint);
        if (phase != "connecting")
        {
            await using var peer = await listener.AcceptAsync();
            await peer.ReceiveAsync(64);
            if (phase == "backing off") await peer.DisposeAsync();
            if (phase == "backing off") await retries.Task.WaitAsync(ScriptedPeer.Patience);
            await socket.DisposeAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        }

        await socket.DisposeAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.All(socket.Endpoints, state => Assert.Equal(EndpointPhase.Closed, state.Phase));
    }

    [Fact]
    public async Task A_socket_file_that_nobody_listens_on_is_replaced_and_others_stay()
    {
        using var folder = new TemporaryDirectory();
        var stale = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, 0);
        stale.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(folder.File("stale")));
        stale.Dispose();
        await using var socket = new PullSocket();
        Assert.Equal($"ipc://{folder.File("stale")}", socket.Bind($"ipc://{folder.File("stale")}"));
        await using var other = new PullSocket();
        Assert.Contains("another process", Assert.Throws<ZmtpException>(() => other.Bind($"ipc://{folder.File("stale")}")).Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(folder.File("letter"), "dear");
        Assert.Contains("no socket", Assert.Throws<ZmtpException>(() => other.Bind($"ipc://{folder.File("letter")}")).Message, StringComparison.Ordinal);
        Assert.Equal("dear", await File.ReadAllTextAsync(folder.File("letter")));
        await socket.DisposeAsync();
        Assert.False(File.Exists(folder.File("stale")));
    }

    [Fact]
    public async Task An_abstract_name_needs_no_file()
    {
        var endpoint = $"ipc://@gateway-{Guid.NewGuid()}";
        await using var pull = new PullSocket();
        pull.Bind(endpoint);
        await using var push = new PushSocket();
        push.Connect(endpoint);
        await push.SendAsync(Message.Of("abstract")).AsTask().WaitAsync(ScriptedPeer.Patience);
        using var message = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("abstract", message.Text(0));
    }

    [Fact]
    public async Task A_bound_inproc_endpoint_says_since_when()
    {
        var time = new ManualTimeProvider();
        await using var pull = new PullSocket(new ZmtpOptions { Time = time, Inproc = new InprocRegistry() });
        pull.Bind("inproc://here");
        var since = time.GetUtcNow();
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(since, Assert.Single(pull.Endpoints).Since);
    }

    [Fact]
    public async Task Inproc_may_connect_first_holds_at_both_marks_and_ends_on_both_sides()
    {
        var names = new global::Zmtp.Transports.InprocRegistry();
        var ends = new ConcurrentQueue<SocketEventKind>();
        await using var push = new PushSocket(new ZmtpOptions { Inproc = names, SendHighWaterMark = 5, ReconnectMin = TimeSpan.FromMilliseconds(1), Events = e => ends.Enqueue(e.Kind) });
        push.Connect("inproc://late");
        Assert.False(push.TrySend(Message.Of("to nobody")));
        var pull = new PullSocket(new ZmtpOptions { Inproc = names, ReceiveHighWaterMark = 7 });
        pull.Bind("inproc://late");
        Assert.Throws<ZmtpException>(() => pull.Bind("inproc://late"));
        await push.SendAsync(Message.Of("0")).AsTask().WaitAsync(ScriptedPeer.Patience);
        var sent = 1;
        while (sent < 100 && push.TrySend(Message.Of($"{sent}"))) sent++;
        // Seven in the receiver, and as many as both marks together between the two.
        Assert.Equal(7 + 12, sent);
        for (var i = 0; i < sent; i++)
        {
            using var message = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal($"{i}", message.Text(0));
        }

        await pull.DisposeAsync();
        Assert.False(push.TrySend(Message.Of("to nobody")));
        await using var second = new PullSocket(new ZmtpOptions { Inproc = names });
        second.Bind("inproc://late");
        await push.SendAsync(Message.Of("again")).AsTask().WaitAsync(ScriptedPeer.Patience);
        using var last = await second.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("again", last.Text(0));
        Assert.Contains(SocketEventKind.Disconnected, ends);
    }
}
