using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Calls;

/// <summary>Large frames pass through without being held: what has entered and not left is bounded by buffers, not by the frame.</summary>
public class CallStreamingTests
{
    private const int Piece = 64 * 1024;
    private const int Pieces = 1024;
    private const long Total = (long)Piece * Pieces;
    // Buffers of both processes' kernels on loopback, and a few hundred KiB of ours.
    private const long MostUnderWay = 16 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_client_that_does_not_read_pauses_the_backend()
    {
        var paused = new TaskCompletionSource();
        var (sent, received) = (0L, 0L);
        using var sentHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var caller = new FakeCaller(async call =>
        {
            for (var i = 0; i < Pieces; i++)
            {
                var piece = Pattern(i);
                sentHash.AppendData(piece);
                var sending = call.SendPartAsync(piece, Total, i == 0, i == Pieces - 1, more: false);
                var underWay = Interlocked.Add(ref sent, Piece) - Interlocked.Read(ref received);
                if (!sending.IsCompleted) paused.TrySetResult();
                if (underWay > MostUnderWay) paused.TrySetException(new InvalidOperationException($"{underWay} bytes are under way."));
                await sending;
            }
        });
        await using var gateway = await caller.StartAsync();
        using var client = new RawHttpClient(gateway.BaseAddress, receiveBuffer: Piece);
        await client.SendAsync("POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        await paused.Task.WaitAsync(Patience);
        Assert.Contains($"Content-Length: {Total}\r\n", await client.ReadUntilAsync("\r\n\r\n"), StringComparison.Ordinal);
        using var receivedHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Piece];
        while (received < Total && await client.ReceiveAsync(buffer) is > 0 and var read)
        {
            receivedHash.AppendData(buffer, 0, read);
            Interlocked.Add(ref received, read);
        }

        Assert.Equal(Total, received);
        Assert.Equal(sentHash.GetHashAndReset(), receivedHash.GetHashAndReset());
        await paused.Task;
    }

    [Fact]
    public async Task A_backend_that_does_not_read_pauses_the_client()
    {
        var paused = new TaskCompletionSource();
        var (sent, received) = (0L, 0L);
        using var sentHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var caller = new FakeCaller(async call =>
        {
            await paused.Task;
            using var receivedHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            while (received < call.StreamedLength)
            {
                var result = await call.StreamedBody.ReadAsync();
                foreach (var segment in result.Buffer) receivedHash.AppendData(segment.Span);
                Interlocked.Add(ref received, result.Buffer.Length);
                call.StreamedBody.AdvanceTo(result.Buffer.End);
            }

            await call.ReplyAsync(Convert.ToHexString(receivedHash.GetHashAndReset()));
        });
        await using var gateway = await caller.StartAsync($"MaxBodySize={Total}");
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(gateway.BaseAddress.Host, gateway.BaseAddress.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"POST /call HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {Total}\r\n\r\n"));
        for (var i = 0; i < Pieces; i++)
        {
            var piece = Pattern(i);
            sentHash.AppendData(piece);
            for (var rest = piece.AsMemory(); rest.Length > 0;)
            {
                var sending = socket.SendAsync(rest);
                if (!sending.IsCompleted) paused.TrySetResult();
                rest = rest[await sending.AsTask().WaitAsync(Patience)..];
            }

            sent += Piece;
            Assert.InRange(sent - Interlocked.Read(ref received), 0, MostUnderWay);
        }

        var response = new byte[4096];
        var length = 0;
        while (await socket.ReceiveAsync(response.AsMemory(length)).AsTask().WaitAsync(Patience) is > 0 and var read) length += read;
        Assert.EndsWith(Convert.ToHexString(sentHash.GetHashAndReset()), Encoding.ASCII.GetString(response, 0, length), StringComparison.Ordinal);
    }

    private static byte[] Pattern(int seed)
    {
        var piece = new byte[Piece];
        new Random(seed).NextBytes(piece);
        return piece;
    }
}
