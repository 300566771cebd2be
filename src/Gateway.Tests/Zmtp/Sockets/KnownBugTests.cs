using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;
using SocketType = Zmtp.Wire.SocketType;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>Bugs that users of libzmq, NetMQ and JeroMQ have met, done to our sockets. Messages torn in the middle are in <see cref="TornMessageTests"/>.</summary>
[Collection("Alone")]
public class KnownBugTests
{
    private readonly Channel<SocketEvent> _events = Channel.CreateUnbounded<SocketEvent>();

    [Fact]
    [Trait("Proves", "libzmq#2942")]
    public async Task A_cancel_of_what_was_never_subscribed_is_nothing()
    {
        await using var socket = new XPubSocket();
        await using var peer = await ScriptedPeer.ConnectAsync(socket.Bind("tcp://127.0.0.1:*"));
        await peer.HandshakeAsync("SUB");
        await peer.SendAsync(ZmtpBytes.Cancel("never"), ZmtpBytes.Frame([0, .. "never"u8]), ZmtpBytes.Cancel(""), ZmtpBytes.Subscribe("A"), ZmtpBytes.Cancel("A"), ZmtpBytes.Cancel("A"));
        await peer.SendAsync(ZmtpBytes.Ping());
        await peer.ExpectAsync(ZmtpBytes.Pong());
        foreach (var expected in (string[])["\u0001A", "\0A"])
        {
            using var message = await socket.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal(expected, message.Text(0));
        }

        Assert.False(socket.TryReceive(out _));
    }

    [Fact]
    [Trait("Proves", "libzmq#2316")]
    public async Task Subscribing_and_cancelling_without_end_takes_no_room_from_messages()
    {
        using var publisher = new ScriptedListener();
        await using var socket = new XSubSocket(new ZmtpOptions { SendHighWaterMark = 3 });
        socket.Connect(publisher.Endpoint);
        await using var peer = await publisher.AcceptAsync("XPUB");
        Assert.True(SpinWait.SpinUntil(() => socket.HasPeers, ScriptedPeer.Patience));
        // Nobody reads meanwhile: twenty thousand commands wait or are in the kernel's buffers, at a mark of three.
        for (var i = 0; i < 10_000; i++)
        {
            socket.Subscribe($"churn {i}");
            socket.Unsubscribe(System.Text.Encoding.ASCII.GetBytes($"churn {i}"));
        }

        socket.Subscribe("kept");
        for (var i = 0; i < 10_000; i++) await peer.ExpectAsync(ZmtpBytes.Subscribe($"churn {i}"), ZmtpBytes.Cancel($"churn {i}"));
        await peer.ExpectAsync(ZmtpBytes.Subscribe("kept"));
        socket.Send(Message.Of("user", "data"));
        await peer.ExpectAsync(ZmtpBytes.Message("user", "data"));
    }

    [Fact]
    [Trait("Proves", "libzmq#1575")]
    [Trait("Proves", "libzmq#2892")]
    public async Task A_peer_that_restarts_under_a_new_name_is_found_and_its_old_name_is_nobody()
    {
        await using var socket = new RouterSocket();
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        var names = new List<byte[]>();
        for (var i = 0; i < 3; i++)
        {
            await using var peer = await ScriptedPeer.ConnectAsync(endpoint);
            await peer.HandshakeAsync("DEALER");
            await peer.SendAsync(ZmtpBytes.Message("hello"));
            using var hello = await socket.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            names.Add(hello[0].ToArray());
            Assert.True(socket.Send(Message.Of(names[i], "hello"u8.ToArray())));
            await peer.ExpectAsync(ZmtpBytes.Message("hello"));
            peer.Reset();
            Assert.True(SpinWait.SpinUntil(() => !socket.HasPeers, ScriptedPeer.Patience));
            Assert.False(socket.Send(Message.Of(names[i], "too late"u8.ToArray())));
        }

        Assert.Equal(3, names.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(3, socket.Dropped);
        // A peer under its own name is back under it as soon as the old connection is gone, before the application has read anything.
        for (var i = 0; i < 3; i++)
        {
            await using var named = await ScriptedPeer.ConnectAsync(endpoint);
            await named.HandshakeAsync("DEALER", identity: "named"u8.ToArray());
            Assert.True(SpinWait.SpinUntil(() => socket.HasPeers, ScriptedPeer.Patience));
            Assert.True(socket.Send(Message.Of("named", "found")));
            await named.ExpectAsync(ZmtpBytes.Message("found"));
            named.Reset();
            Assert.True(SpinWait.SpinUntil(() => !socket.HasPeers, ScriptedPeer.Patience));
        }
    }

    [Fact]
    [Trait("Proves", "libzmq#4503")]
    public async Task A_duplicate_name_is_refused_out_loud_and_takes_nothing_of_the_first()
    {
        await using var socket = new RouterSocket(new ZmtpOptions { Events = e => _events.Writer.TryWrite(e) });
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        await using var first = await ScriptedPeer.ConnectAsync(endpoint);
        await first.HandshakeAsync("DEALER", identity: "same"u8.ToArray());
        await NextAsync(SocketEventKind.Ready);
        await using var second = await ScriptedPeer.ConnectAsync(endpoint);
        await second.HandshakeAsync("DEALER", identity: "same"u8.ToArray());
        Assert.Empty(await second.ReceiveToEndAsync());
        Assert.NotNull((await NextAsync(SocketEventKind.Disconnected)).Error);
        Assert.True(socket.Send(Message.Of("same", "for the first")));
        await first.ExpectAsync(ZmtpBytes.Message("for the first"));
    }

    [Theory]
    [Trait("Proves", "ROUTER ids with a leading zero or of 256 bytes")]
    [InlineData(1, 0)]
    [InlineData(5, 0)]
    [InlineData(256, 1)]
    public async Task A_name_that_only_a_ROUTER_may_give_is_refused(int length, byte first)
    {
        await using var socket = new RouterSocket(new ZmtpOptions { Events = e => _events.Writer.TryWrite(e) });
        await using var peer = await ScriptedPeer.ConnectAsync(socket.Bind("tcp://127.0.0.1:*"));
        await peer.SendAsync(ZmtpBytes.Greeting(), ZmtpBytes.Ready("DEALER", [first, .. Enumerable.Repeat((byte)1, length - 1)]));
        await peer.ReceiveToEndAsync();
        Assert.Equal(ProtocolError.MalformedIdentity, Assert.IsType<ZmtpProtocolException>((await NextAsync(SocketEventKind.HandshakeFailed)).Error).Error);
    }

    [Fact]
    [Trait("Proves", "libzmq#3060")]
    public async Task A_REQ_that_waits_is_not_disturbed_by_pings_of_either_side()
    {
        var time = new ManualTimeProvider();
        using var listener = new ScriptedListener();
        await using var socket = new ReqSocket(new ZmtpOptions { Time = time, ConnectTimeout = TimeSpan.Zero, HeartbeatInterval = TimeSpan.FromSeconds(1), HeartbeatTimeout = TimeSpan.FromSeconds(5) });
        socket.Connect(listener.Endpoint);
        await using var peer = await listener.AcceptAsync("REP");
        var asked = socket.RequestAsync(Message.Of("slow")).AsTask();
        await peer.ExpectAsync(ZmtpBytes.Message("", "slow"));
        for (var i = 0; i < 50; i++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await peer.ExpectAsync(ZmtpBytes.Ping());
            await peer.SendAsync(ZmtpBytes.Pong(), ZmtpBytes.Ping(0, $"{i}"));
            await peer.ExpectAsync(ZmtpBytes.Pong($"{i}"));
        }

        // Also between the frames of the reply.
        await peer.SendAsync(ZmtpBytes.Frame([], more: true), ZmtpBytes.Ping(), ZmtpBytes.Frame("done"u8.ToArray()));
        using var reply = await asked.WaitAsync(ScriptedPeer.Patience);
        Assert.Equal((1, "done"), (reply.Count, reply.Text(0)));
    }

    [Fact]
    [Trait("Proves", "jeromq#1009")]
    public async Task A_CURVE_connection_that_is_held_up_at_both_marks_loses_nothing()
    {
        var keys = CurveKeyPair.Generate();
        await using var pull = new PullSocket(new ZmtpOptions { ReceiveHighWaterMark = 5, ReceiveBuffer = 4096, CurveServer = true, CurveKeys = keys, Authenticator = new AcceptAll() });
        await using var push = new PushSocket(new ZmtpOptions { SendHighWaterMark = 5, SendBuffer = 4096, CurveKeys = keys, CurveServerKey = keys.PublicKey });
        push.Connect(pull.Bind("tcp://127.0.0.1:*"));
        var sent = 0;
        await push.SendAsync(Next()).AsTask().WaitAsync(ScriptedPeer.Patience);
        // Until the marks and the kernel's buffers are full.
        for (var refused = 0; refused < 1_000;)
        {
            var message = Next();
            if (push.TrySend(message)) continue;
            message.Dispose();
            (sent, refused) = (sent - 1, refused + 1);
            await Task.Yield();
        }

        var held = sent;
        var sending = Task.Run(async () =>
        {
            while (sent < held + 500) await push.SendAsync(Next()).AsTask().WaitAsync(ScriptedPeer.Patience);
        });
        for (var i = 0; i < held + 500; i++)
        {
            using var message = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            Assert.Equal((2, $"{i}", 10_000), (message.Count, message.Text(0), message[1].Length));
        }

        await sending.WaitAsync(ScriptedPeer.Patience);

        Message Next() => Message.Of(System.Text.Encoding.ASCII.GetBytes($"{sent++}"), new byte[10_000]);
    }

    [Fact]
    [Trait("Proves", "libzmq#4599")]
    public async Task A_connection_that_reached_itself_is_closed_and_tried_again()
    {
        int port;
        using (var probe = new Socket(AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, ProtocolType.Tcp))
        {
            probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            port = ((IPEndPoint)probe.LocalEndPoint!).Port;
        }

        await using var socket = new PairSocket(new ZmtpOptions { Events = e => _events.Writer.TryWrite(e), ReconnectMin = TimeSpan.FromMilliseconds(1), ReconnectMax = TimeSpan.FromMilliseconds(1) });
        // From the port to the same port: TCP lets the two ends of one socket meet.
        socket.Connect($"tcp://127.0.0.1:{port};127.0.0.1:{port}");
        for (var i = 0; i < 3; i++)
        {
            var retry = await NextAsync(SocketEventKind.Retrying);
            if (retry.Error is SocketException) continue;
            Assert.Equal(ProtocolError.SelfConnection, Assert.IsType<ZmtpProtocolException>(retry.Error).Error);
            return;
        }

        Assert.Fail("It never met itself.");
    }

    [Theory]
    [Trait("Proves", "libzmq#4218")]
    [Trait("Proves", "libzmq#4232")]
    [Trait("Proves", "NetMQ#1037")]
    [InlineData("ipc", true)]
    [InlineData("ipc", false)]
    [InlineData("tcp", true)]
    public async Task Five_thousand_connections_that_come_and_go_leave_no_object_behind(string transport, bool accepted)
    {
        using var folder = new TemporaryDirectory();
        var live = new LiveObjects();
        await using var owner = new Watcher(live);
        await using var bound = new PeerSet(SocketType.Pull, new ZmtpOptions { MaxHandshakes = 4, MaxHandshakesPerAddress = 4 }, accepted ? owner : new Watcher(null));
        await using var connecting = new PeerSet(SocketType.Push, new ZmtpOptions(), accepted ? new Watcher(null) : owner);
        var endpoint = bound.Bind(transport == "ipc" ? $"ipc://{folder.File("socket")}" : "tcp://127.0.0.1:*");
        for (var i = 0; i < 5_000; i++)
        {
            if (accepted)
            {
                await using var peer = await ScriptedPeer.ConnectAsync(endpoint);
                await peer.HandshakeAsync("PUSH");
                // Every second one without a goodbye, and none leaves a port waiting.
                if (i % 2 == 0 || transport == "tcp") peer.Reset();
            }
            else
            {
                connecting.Connect(endpoint);
                Assert.True(await owner.NextReadyAsync());
                Assert.True(await connecting.DisconnectAsync(endpoint));
            }
        }

        Assert.True(SpinWait.SpinUntil(() => bound.Endpoints.Count == 1 && owner.Here == 0, ScriptedPeer.Patience), $"{owner.Here} peers are still there");
        Assert.Empty(connecting.Endpoints);
        Assert.Equal(5_000, live.Count);
        await live.AssertGoneAsync();
    }

    private async Task<SocketEvent> NextAsync(SocketEventKind kind)
    {
        while (true)
        {
            var next = await _events.Reader.ReadAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
            if (next.Kind == kind) return next;
        }
    }

    private sealed class AcceptAll : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            new(new AuthenticationResult(200));
    }

    /// <summary>Remembers every peer weakly.</summary>
    private sealed class Watcher(LiveObjects? live) : IPeerOwner, IAsyncDisposable
    {
        private readonly SemaphoreSlim _ready = new(0);
        private int _here;

        public int Here => Volatile.Read(ref _here);

        public Task<bool> NextReadyAsync() => _ready.WaitAsync(ScriptedPeer.Patience);

        public IFrameSink PeerReady(Peer peer)
        {
            live?.Watch(peer);
            Interlocked.Increment(ref _here);
            _ready.Release();
            return new DiscardingSink();
        }

        public void PeerWritable(Peer peer)
        {
            // It sends nothing.
        }

        public void PeerGone(Peer peer) => Interlocked.Decrement(ref _here);

        public bool PeerSubscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe) => true;

        public ValueTask DisposeAsync()
        {
            _ready.Dispose();
            return default;
        }
    }
}
