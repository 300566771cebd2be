using System.Buffers;
using System.IO.Pipelines;
using Gateway.Tests.TestSupport;
using Gateway.WebSockets;

namespace Gateway.Tests.WebSockets;

/// <summary>A connection over two pipes in memory and a clock moved by hand, so that every stall is exactly where the test wants it.</summary>
public sealed class WebSocketConnectionTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly ManualTimeProvider _time = new();
    // Inline, so that whoever writes has the reader's answer when the write returns.
    private readonly Pipe _in = new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0, useSynchronizationContext: false));

    private readonly Pipe _out = new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024, useSynchronizationContext: false));

    private readonly WebSocketTiming _timing;
    private readonly WebSocketTicker _ticker;
    private readonly WebSocketConnection _connection;
    private readonly List<string> _messages = [];
    private IOException? _throws;
    private bool _aborted;

    public WebSocketConnectionTests()
    {
        _timing = WebSocketAllocationTests.Timing(_time);
        _ticker = new WebSocketTicker(_timing);
        var transport = new WebSocketTransport(new DuplexStream(_in.Reader.AsStream(), _out.Writer.AsStream()), Socket: null, Subprotocol: null);
        _connection = new WebSocketConnection(transport, new WebSocketLimits(), _timing, OnMessageAsync, Abort);
    }

    [Fact]
    public async Task A_client_that_pings_and_reads_no_pongs_is_cut_after_10_s_with_one_pong_waiting()
    {
        const int Pings = 100_000;
        var ping = AutobahnCase.Frame(9, new byte[125]);
        for (var i = 0; i < Pings; i++) _in.Writer.Write(ping);
        await _in.Writer.FlushAsync();

        // Everything up to the stalled write runs inside this call.
        var running = _connection.RunAsync(_ticker, CancellationToken.None);
        Assert.False(running.IsCompleted);
        Assert.True(_out.Reader.TryRead(out var written));
        Assert.InRange(written.Buffer.Length, 64 * 1024, (64 * 1024) + 127);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(_aborted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_aborted);
        _out.Reader.AdvanceTo(written.Buffer.End);
        await _out.Reader.CompleteAsync();
        await running.WaitAsync(Bound);
    }

    [Fact]
    public async Task A_silent_client_is_pinged_and_then_cut()
    {
        var running = _connection.RunAsync(_ticker, CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(26));
        Assert.Equal("8900", await SentAsync(2));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(_aborted);
        Assert.Equal(WebSocketEndKind.Lost, (await running.WaitAsync(Bound)).Kind);
        Assert.Equal(0, _ticker.Count);
    }

    [Fact]
    public async Task A_client_that_answers_pings_stays()
    {
        var running = _connection.RunAsync(_ticker, CancellationToken.None);
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(25));
            Assert.Equal("8900", await SentAsync(2));
            await ReceiveAsync(AutobahnCase.Frame(10, []));
        }

        Assert.False(_aborted);
        await ReceiveAsync(AutobahnCase.Frame(8, []));
        Assert.Equal(WebSocketEndKind.PeerClosed, (await running.WaitAsync(Bound)).Kind);
    }

    [Fact]
    public async Task Shutdown_says_1001_and_waits_for_the_answer_while_messages_are_dropped()
    {
        using var stopping = new CancellationTokenSource();
        var running = _connection.RunAsync(_ticker, stopping.Token);
        await stopping.CancelAsync();
        Assert.StartsWith("88" + "0F" + "03E9", await SentAsync(17), StringComparison.Ordinal);
        await ReceiveAsync(AutobahnCase.Frame(2, [1]));
        Assert.False(running.IsCompleted);
        await ReceiveAsync(AutobahnCase.Frame(8, [0x03, 0xE9]));
        Assert.Equal(new WebSocketEnd(WebSocketEndKind.PeerClosed, WebSocketCloseCode.GoingAway), await running.WaitAsync(Bound));
        Assert.Empty(_messages);
        Assert.False(await _connection.SendAsync(WebSocketOpcode.Binary, new byte[1]));
    }

    [Fact]
    public async Task A_client_that_never_answers_a_close_is_cut_after_5_s()
    {
        var running = _connection.RunAsync(_ticker, CancellationToken.None);
        await _connection.CloseAsync(WebSocketCloseCode.ServiceRestart);
        _time.Advance(TimeSpan.FromSeconds(4.5));
        Assert.False(_aborted);
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.True(_aborted);
        await running.WaitAsync(Bound);
    }

    [Fact]
    public async Task After_a_fault_the_rest_is_read_for_a_second_so_that_the_close_arrives()
    {
        var running = _connection.RunAsync(_ticker, CancellationToken.None);
        await ReceiveAsync([0x83]);
        Assert.StartsWith("88", await SentAsync(2), StringComparison.Ordinal);
        await ReceiveAsync(new byte[100_000]);
        Assert.False(running.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(WebSocketFault.ReservedOpcode, (await running.WaitAsync(Bound)).Fault);
    }

    [Fact]
    public async Task Large_messages_of_two_senders_do_not_mix()
    {
        var first = _connection.SendAsync(WebSocketOpcode.Binary, Enumerable.Repeat((byte)1, 200_000).ToArray());
        var second = _connection.SendAsync(WebSocketOpcode.Binary, Enumerable.Repeat((byte)2, 200_000).ToArray());
        var sent = Convert.FromHexString(await SentAsync(2 * (10 + 200_000)));
        Assert.True(await first.AsTask().WaitAsync(Bound) & await second.AsTask().WaitAsync(Bound));
        Assert.All(sent[10..200_010], octet => Assert.Equal(1, octet));
        Assert.All(sent[200_020..], octet => Assert.Equal(2, octet));
    }

    [Fact]
    public async Task A_close_waits_for_the_message_that_is_being_written()
    {
        var running = _connection.RunAsync(_ticker, CancellationToken.None);
        var sending = _connection.SendAsync(WebSocketOpcode.Binary, new byte[200_000]);
        await ReceiveAsync(AutobahnCase.Frame(8, [0x03, 0xE8]));
        Assert.False(running.IsCompleted);
        var sent = await SentAsync(10 + 200_000 + 4);
        Assert.EndsWith("00" + "880203E8", sent, StringComparison.Ordinal);
        Assert.True(await sending.AsTask().WaitAsync(Bound));
        Assert.Equal(WebSocketEndKind.PeerClosed, (await running.WaitAsync(Bound)).Kind);
    }

    [Fact]
    public async Task What_a_handler_throws_is_not_taken_for_a_lost_connection()
    {
        _throws = new IOException("The backend's, not the client's.");
        var running = _connection.RunAsync(_ticker, CancellationToken.None);
        await ReceiveAsync(AutobahnCase.Frame(2, [1]));
        Assert.Same(_throws, await Assert.ThrowsAsync<IOException>(() => running.WaitAsync(Bound)));
        Assert.Equal(0, _ticker.Count);
    }

    [Fact]
    public async Task Fragments_that_are_sent_become_continuations_with_a_pong_between()
    {
        var control = new WebSocketControlQueue();
        using var output = new WebSocketOutput(_out.Writer.AsStream(), control, new WebSocketLiveness(_timing));
        await output.SendAsync(WebSocketOpcode.Text, "a"u8.ToArray(), endOfMessage: false);
        control.OfferPong([5]);
        await output.SendAsync(WebSocketOpcode.Text, "b"u8.ToArray(), endOfMessage: false);
        await output.SendAsync(WebSocketOpcode.Text, "c"u8.ToArray());
        await output.SendAsync(WebSocketOpcode.Text, "d"u8.ToArray());
        Assert.Equal("010161" + "000162" + "8A0105" + "800163" + "810164", await SentAsync(15));
    }

    public void Dispose()
    {
        _connection.Dispose();
        _ticker.Dispose();
    }

    private ValueTask<WebSocketCloseCode> OnMessageAsync(WebSocketConnection connection, WebSocketOpcode opcode, ReadOnlyMemory<byte> message)
    {
        _messages.Add($"{opcode} {message.Length}");
        return _throws is null ? default : ValueTask.FromException<WebSocketCloseCode>(_throws);
    }

    private void Abort()
    {
        _aborted = true;
        _in.Writer.Complete();
    }

    private async Task ReceiveAsync(byte[] bytes) => await _in.Writer.WriteAsync(bytes);

    private async Task<string> SentAsync(int bytes)
    {
        var read = await _out.Reader.ReadAtLeastAsync(bytes).AsTask().WaitAsync(Bound);
        var sent = new byte[bytes];
        var wanted = read.Buffer.Slice(0, bytes);
        var at = 0;
        foreach (var segment in wanted)
        {
            segment.Span.CopyTo(sent.AsSpan(at));
            at += segment.Length;
        }

        _out.Reader.AdvanceTo(wanted.End);
        return Convert.ToHexString(sent);
    }
}
