using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Gateway.Connections;

namespace Gateway.Tests.Connections;

public sealed class DirectOutputTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private readonly Socket _near;
    private readonly Socket _far;
    private readonly Pipe _inner = new();
    private readonly DirectOutput _output;

    public DirectOutputTests()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _near = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _near.Connect(listener.LocalEndPoint!);
        _far = listener.Accept();
        _output = new DirectOutput(_near, _inner.Writer);
    }

    [Fact]
    public async Task Bytes_are_with_the_system_when_the_flush_is_done()
    {
        _output.Write("hello"u8);
        Assert.Equal(5, _output.UnflushedBytes);
        var flush = await _output.FlushAsync();
        Assert.False(flush.IsCompleted);
        Assert.Equal(0, _output.UnflushedBytes);
        Assert.Equal("hello"u8.ToArray(), await ReceiveAsync(5));
    }

    [Fact]
    public async Task What_a_slow_peer_takes_of_one_large_send_is_seen_before_the_send_is_done()
    {
        _near.SendBufferSize = 64 * 1024;
        _far.ReceiveBufferSize = 64 * 1024;
        const int length = 8 << 20;
        _ = _output.GetMemory(length);
        _output.Advance(length);
        var flush = _output.FlushAsync().AsTask();
        var before = _output.TakenBytes;
        await ReceiveAsync(length / 2);
        Assert.False(flush.IsCompleted);
        Assert.InRange(_output.TakenBytes - before, length / 4, length);
        await ReceiveAsync(length / 2);
        await flush.WaitAsync(Bound);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4_096)]
    [InlineData(4_097)]
    [InlineData(1_000_000)]
    public async Task Any_number_of_bytes_arrives_in_order(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        var receiving = ReceiveAsync(count);
        foreach (var chunk in bytes.Chunk(777)) _output.Write(chunk);
        await _output.FlushAsync();
        Assert.Equal(bytes, await receiving);
    }

    [Fact]
    public async Task A_flush_waits_for_a_peer_that_does_not_read_and_later_bytes_follow()
    {
        _near.SendBufferSize = 64 * 1024;
        _far.ReceiveBufferSize = 64 * 1024;
        var bytes = new byte[8 << 20];
        new Random(1).NextBytes(bytes);
        _output.Write(bytes);
        var pending = _output.FlushAsync().AsTask();
        Assert.False(pending.IsCompleted);
        _output.Write("behind"u8);
        await _output.FlushAsync();
        var received = await ReceiveAsync(bytes.Length + 6);
        Assert.Equal(bytes, received[..^6]);
        Assert.Equal("behind"u8.ToArray(), received[^6..]);
        await pending.WaitAsync(Bound);
    }

    [Fact]
    public async Task Completing_sends_what_is_left_and_then_completes_the_inner_pipe()
    {
        _output.Write("last words"u8);
        await _output.CompleteAsync();
        Assert.Equal("last words"u8.ToArray(), await ReceiveAsync(10));
        var inner = await _inner.Reader.ReadAsync().AsTask().WaitAsync(Bound);
        Assert.True(inner.IsCompleted);
    }

    [Fact]
    public async Task A_connection_is_not_closed_before_its_last_bytes_have_gone()
    {
        _near.SendBufferSize = 64 * 1024;
        _far.ReceiveBufferSize = 64 * 1024;
        _output.Write(new byte[8 << 20]);
        await _output.CompleteAsync();
        var sent = _output.SentAsync();
        Assert.False(sent.IsCompleted);
        Assert.Equal(8 << 20, (await ReceiveAsync(8 << 20)).Length);
        await sent.WaitAsync(Bound);
    }

    [Fact]
    public async Task A_dead_connection_completes_the_flush_instead_of_throwing()
    {
        _near.Dispose();
        _output.Write("x"u8);
        var flush = await _output.FlushAsync();
        Assert.True(flush.IsCompleted);
        await _output.CompleteAsync();
        var inner = await _inner.Reader.ReadAsync().AsTask().WaitAsync(Bound);
        Assert.True(inner.IsCompleted);
    }

    public void Dispose()
    {
        _near.Dispose();
        _far.Dispose();
    }

    private async Task<byte[]> ReceiveAsync(int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var received = await _far.ReceiveAsync(bytes.AsMemory(at)).AsTask().WaitAsync(Bound);
            if (received == 0) return bytes[..at];
            at += received;
        }

        return bytes;
    }
}
