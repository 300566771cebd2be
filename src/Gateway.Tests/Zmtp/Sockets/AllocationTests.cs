using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>What a message costs in memory, once pools are filled.</summary>
public class AllocationTests
{
    [Fact]
    public async Task A_received_message_costs_a_sink_nothing()
    {
        var message = ZmtpBytes.Message([1, 2, 3], new byte[100], new byte[300]);
        var few = Script(message, 10_000);
        var many = Script(message, 60_000);
        await ReceiveAsync(few);
        await ReceiveAsync(many);
        var (first, costOfFew) = await ReceiveAsync(few);
        var (second, costOfMany) = await ReceiveAsync(many);
        Assert.Equal((10_000, 60_000), (first, second));
        // A connection has its price, and without optimisation so has a read; the smallest object, 24 bytes, for a message would show.
        Assert.InRange((costOfMany - costOfFew) / 50_000.0, double.MinValue, 8);
    }

    [Fact]
    public async Task A_frame_of_64_MiB_passes_through_a_quarter_of_one()
    {
        var bytes = ZmtpBytes.Concat(ZmtpBytes.Greeting(), ZmtpBytes.Ready("PUSH"), ZmtpBytes.Frame(new byte[64 << 20]));
        var (messages, cost) = await ReceiveAsync(bytes);
        Assert.Equal(1, messages);
        Assert.InRange(cost, 0, 1 << 20);
    }

    [Fact]
    public async Task A_sent_message_costs_nothing()
    {
        var (link, sink) = (new ScriptLink(), new CountingSink());
        link.Say(Script([], 0));
        // The script ends after READY, and what is sent before the owner answers finds an open connection.
        sink.OnReady = peer =>
        {
            using var small = Message.Of(new byte[20], new byte[100]);
            using var large = Message.Of(new byte[20_000]);
            Send(peer, small, large, 1_000);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Send(peer, small, large, 20_000);
            sink.Cost = GC.GetAllocatedBytesForCurrentThread() - before;
        };
        Assert.Null(await Peer(link, sink).RunAsync(default));
        Assert.InRange(sink.Cost, 0, 20_000);

        static void Send(Peer peer, Message small, Message large, int count)
        {
            for (var i = 0; i < count; i++)
            {
                Assert.True(peer.TrySend(small));
                Assert.True(peer.TrySend(large));
                Assert.True(peer.TryWrite(i, static (_, writer) => writer.WriteFrame("body"u8, more: false)));
            }
        }
    }

    [Fact]
    public async Task A_message_taken_from_a_socket_costs_nothing_once_pools_are_filled()
    {
        await using var push = new PushSocket();
        await using var pull = new PullSocket();
        var names = pull.Bind("inproc://allocation-of-messages");
        push.Connect(names);
        await push.SendAsync(Message.Of("first")).AsTask().WaitAsync(ScriptedPeer.Patience);
        using (await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience)) Pass(push, pull, 10_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Pass(push, pull, 50_000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000);

        static void Pass(PushSocket push, PullSocket pull, int count)
        {
            for (var i = 0; i < count; i++)
            {
                var message = Message.Create();
                message.Add("a message"u8);
                Assert.True(push.TrySend(message));
                Assert.True(pull.TryReceive(out var received));
                received.Dispose();
            }
        }
    }

    private static byte[] Script(byte[] message, int count)
    {
        var start = ZmtpBytes.Concat(ZmtpBytes.Greeting(), ZmtpBytes.Ready("PUSH"));
        var script = new byte[start.Length + (message.Length * count)];
        start.CopyTo(script, 0);
        for (var i = 0; i < count; i++) message.CopyTo(script, start.Length + (i * message.Length));
        return script;
    }

    private static async Task<(int Messages, long Cost)> ReceiveAsync(byte[] bytes)
    {
        var (link, sink) = (new ScriptLink(), new CountingSink());
        link.Say(bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var running = Peer(link, sink).RunAsync(default);
        var cost = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Null(await running);
        return (sink.Messages, cost);
    }

    private static WirePeer Peer(ScriptLink link, CountingSink sink) => new(
        link, "", false, SocketType.Pull, new ZmtpOptions { HandshakeTimeout = TimeSpan.Zero }, new NullMechanism(SocketType.Pull, []), sink);

    private sealed class CountingSink : IPeerOwner, IFrameSink
    {
        public int Messages { get; private set; }

        public long Cost { get; set; }

        public Action<Peer>? OnReady { get; set; }

        public IFrameSink PeerReady(Peer peer)
        {
            OnReady?.Invoke(peer);
            return this;
        }

        public bool Accept(in FramePart part)
        {
            if (part.EndsMessage) Messages++;
            return true;
        }

        public bool PeerSubscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe) => true;

        public ValueTask WhenReadyAsync(CancellationToken stopping) => default;

        public void PeerWritable(Peer peer)
        {
            // It never refused a message.
        }

        public void PeerGone(Peer peer)
        {
            // Only what it sent counts.
        }

        public void BatchEnd()
        {
            // Messages are counted one by one.
        }

        public void Closed(Exception? reason)
        {
            // Nothing was kept.
        }
    }
}
