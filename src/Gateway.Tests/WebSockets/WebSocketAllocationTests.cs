using Gateway.Tests.TestSupport;
using Gateway.WebSockets;

namespace Gateway.Tests.WebSockets;

public class WebSocketAllocationTests
{
    private const int Messages = 10_000;

    private static readonly WebSocketLimits Limits = new();

    [OptimizedFact]
    public void Reading_messages_allocates_nothing()
    {
        byte[] frames =
        [
            .. AutobahnCase.Frame(1, "Hello"u8), .. AutobahnCase.Frame(2, new byte[500], fin: false), .. AutobahnCase.Frame(9, "ping"u8),
            .. AutobahnCase.Frame(0, new byte[500]),
        ];
        var receiver = new CountingReceiver();
        var stream = new RepeatingStream(frames, Messages);
        var reading = new WebSocketReader(stream, Limits).RunAsync(receiver, CancellationToken.None);
        Assert.True(reading.IsCompletedSuccessfully);
        Assert.Equal(2 * Messages, receiver.Messages);
        Assert.Equal(0, stream.AllocatedAfterWarmUp);
    }

    [OptimizedFact]
    public async Task Sending_messages_allocates_nothing()
    {
        var timing = Timing();
        using var output = new WebSocketOutput(Stream.Null, new WebSocketControlQueue(), new WebSocketLiveness(timing));
        var payload = new byte[500];
        for (var i = 0; i < 100; i++) Assert.True(await output.SendAsync(WebSocketOpcode.Binary, payload));
        // Every send completes at once, so all of this runs on one thread.
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Messages; i++) await output.SendAsync(WebSocketOpcode.Binary, payload);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("82ff7fffffffffffffff")]
    [InlineData("82ff8000000000000000")]
    [InlineData("82ff0000000100000000")]
    [InlineData("82fe0005")]
    public void A_length_that_is_refused_costs_no_memory(string header)
    {
        var bytes = Convert.FromHexString(header);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var step = new WebSocketFrameParser(Limits).Next(bytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 512);
        Assert.Equal(WebSocketStepKind.Failed, step.Kind);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_131073rd_fragment_is_refused_and_no_fragment_is_kept(int fragmentBytes)
    {
        var parser = new WebSocketFrameParser(Limits);
        var first = AutobahnCase.Frame(2, new byte[fragmentBytes], fin: false);
        var next = AutobahnCase.Frame(0, new byte[fragmentBytes], fin: false);
        parser.Next(first);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var fragments = 1;
        while (parser.Next(next).Kind != WebSocketStepKind.Failed) fragments++;
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(131_072, fragments);
        Assert.Equal(WebSocketFault.TooManyFragments, parser.Next(next).Fault);
    }

    [Fact]
    public void An_idle_reader_holds_less_than_a_kibibyte()
    {
        const int Readers = 1000;
        var receiver = new CountingReceiver();
        var waiting = new Task[Readers];
        var never = new NeverStream();
        var first = new WebSocketReader(never, Limits).RunAsync(receiver, CancellationToken.None);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Readers; i++) waiting[i] = new WebSocketReader(never, Limits).RunAsync(receiver, CancellationToken.None);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / Readers, 1, 1023);
        Assert.All(waiting.Append(first), task => Assert.False(task.IsCompleted));
    }

    internal static WebSocketTiming Timing(TimeProvider? time = null) =>
        new(time ?? TimeProvider.System, TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(500));

    private sealed class CountingReceiver : IWebSocketReceiver
    {
        public int Messages { get; private set; }

        public ValueTask<WebSocketCloseCode> OnDataAsync(WebSocketOpcode opcode, ReadOnlyMemory<byte> payload, bool endOfMessage)
        {
            if (endOfMessage) Messages++;
            return default;
        }

        public ValueTask OnPingAsync(ReadOnlyMemory<byte> payload) => default;

        public void OnPong(ReadOnlySpan<byte> payload)
        {
            // Not part of these tests.
        }

        public void OnAlive()
        {
            // Not part of these tests.
        }
    }

    // Gives the same bytes a number of times, then the end; measures what the thread allocates between the reads, without the first ones.
    private sealed class RepeatingStream(byte[] bytes, int times) : MemoryStream
    {
        private const int WarmUp = 100;

        private int _given;
        private long _start;

        public long AllocatedAfterWarmUp { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.Length == 0) return default;
            if (_given == WarmUp) _start = GC.GetAllocatedBytesForCurrentThread();
            AllocatedAfterWarmUp = GC.GetAllocatedBytesForCurrentThread() - _start;
            if (_given++ == times) return default;
            bytes.CopyTo(buffer);
            return new ValueTask<int>(bytes.Length);
        }
    }

    private sealed class NeverStream : MemoryStream
    {
        private static readonly Task<int> Never = new TaskCompletionSource<int>().Task;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Never);
    }
}
