using System.Buffers;
using System.Runtime.InteropServices;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Transports;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp;

/// <summary>Frames that refer to their maker's memory.</summary>
public class MessageTests
{
    [Fact]
    public void Frames_are_counted_from_the_end_too()
    {
        using var message = Message.Of("first", "last");
        Assert.Equal("last"u8.ToArray(), message[^1].ToArray());
        Assert.Equal("first"u8.ToArray(), message[^2].ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => message[^3]);
    }

    [Fact]
    public async Task A_typed_array_goes_to_the_system_from_where_it_lies()
    {
        var values = Enumerable.Range(0, 100_000).Select(i => i * 0.5).ToArray();
        using var released = new ManualResetEventSlim();
        var message = Message.Of("doubles");
        message.AddValues<double>(values, released.Set);
        Assert.Equal((2, 7 + 800_000), (message.Count, message.Length));
        var link = new WatchedLink(ZmtpBytes.Concat(ZmtpBytes.Greeting(), ZmtpBytes.Ready("PULL")));
        var owner = new RecordingOwner();
        var peer = new WirePeer(link, "script", isOutgoing: true, SocketType.Push, new ZmtpOptions(), new NullMechanism(SocketType.Push, []), owner);
        var running = peer.RunAsync(default);
        Assert.Same(peer, await owner.ReadyAsync());
        Assert.True(peer.TrySend(message));
        // The system was handed the very memory of the array, whole, and not a copy.
        Assert.True(link.WasHanded(MemoryMarshal.AsBytes(values.AsSpan())), "the array was copied");
        Assert.False(released.IsSet, "the message's maker still holds it");
        message.Dispose();
        Assert.True(released.IsSet, "nobody holds the array any more");
        peer.Abort(new ZmtpException("The test is over."));
        await running.WaitAsync(ScriptedPeer.Patience);
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:*")]
    [InlineData("inproc://memory")]
    public async Task Memory_is_released_once_when_the_message_has_left(string endpoint)
    {
        var options = new ZmtpOptions { Inproc = new InprocRegistry() };
        await using var pull = new PullSocket(options);
        await using var push = new PushSocket(options);
        push.Connect(pull.Bind(endpoint));
        var owner = new CountingOwner(1_000_000);
        var message = Message.Create();
        message.Add("head"u8);
        message.AddMemory(owner.Memory, owner);
        message.Add("tail"u8);
        await push.SendAsync(message).AsTask().WaitAsync(ScriptedPeer.Patience);
        using var received = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal(("head", "tail"), (received.Text(0), received.Text(2)));
        Assert.Equal(owner.Memory.ToArray(), received[1].ToArray());
        await owner.Released.WaitAsync(ScriptedPeer.Patience);
        Assert.Equal(1, owner.Releases);
    }

    [Fact]
    public void A_message_that_is_not_sent_releases_its_memory_when_it_is_disposed()
    {
        var owner = new CountingOwner(10);
        var message = Message.Create();
        message.AddMemory(owner.Memory, owner);
        message.Retain();
        message.Dispose();
        Assert.Equal(0, owner.Releases);
        message.Dispose();
        Assert.Equal(1, owner.Releases);
        // What comes out of the pool knows nothing of it.
        using var next = Message.Of("next");
        Assert.Equal("next", next.Text(0));
    }

    [Fact]
    public async Task Values_are_sent_in_the_order_of_this_machine_whatever_their_type()
    {
        await using var pull = new PullSocket();
        await using var push = new PushSocket();
        push.Connect(pull.Bind("tcp://127.0.0.1:*"));
        float[] values = [1.5f, -2, float.NaN];
        var message = Message.Create();
        message.AddValues<float>(values.AsMemory(1));
        await push.SendAsync(message).AsTask().WaitAsync(ScriptedPeer.Patience);
        using var received = await pull.ReceiveAsync().AsTask().WaitAsync(ScriptedPeer.Patience);
        Assert.Equal([-2, float.NaN], MemoryMarshal.Cast<byte, float>(received[0].Span).ToArray());
    }

    private sealed class CountingOwner(int size) : IDisposable
    {
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ReadOnlyMemory<byte> Memory { get; } = Enumerable.Range(0, size).Select(i => (byte)i).ToArray();

        public int Releases { get; private set; }

        public Task Released => _released.Task;

        public void Dispose()
        {
            Releases++;
            _released.TrySetResult();
        }
    }

    /// <summary>Says what it is given to say, then nothing more, and remembers where what was sent lay.</summary>
    private sealed class WatchedLink(byte[] says) : Link
    {
        private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly List<ReadOnlyMemory<byte>> _sent = [];
        private bool _said;

        public override string Remote => "watched";

        public bool WasHanded(ReadOnlySpan<byte> memory)
        {
            foreach (var sent in _sent)
            {
                if (sent.Span == memory) return true;
            }

            return false;
        }

        public override async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (_said) await _aborted.Task.WaitAsync(cancellationToken);
            if (_said) return 0;
            _said = true;
            says.CopyTo(buffer);
            return says.Length;
        }

        public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> buffer)
        {
            _sent.Add(buffer);
            return new ValueTask<int>(buffer.Length);
        }

        public override void Abort() => _aborted.TrySetResult();

        public override ValueTask DisposeAsync() => default;
    }
}
