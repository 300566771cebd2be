using System.Net.Sockets;
using System.Text;
using Gateway.Streams;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Streams;

[Collection(nameof(FanOutAllocationTests))]
public class FanOutAllocationTests
{
    [Theory]
    [InlineData(100)]
    [InlineData(16 * 1024)]
    public async Task A_burst_to_many_subscribers_allocates_nothing_per_message(int bytes)
    {
        const int Clients = 20;
        const int Messages = 1000;
        await using var host = await StreamHost.StartAsync();
        var clients = Enumerable.Range(0, Clients).Select(_ => Open(host.Port)).ToList();
        var (sink, topic, body) = (host.Source.NewPeer(), new byte[8], new byte[bytes]);
        var received = new byte[bytes + 10];
        WarmUp(host.Streams.Pool);
        Burst(500);
        // The least of three: what else the process does now and then does not repeat, an allocation per message would.
        // The smallest object a message would be 24,000.
        Assert.InRange(Enumerable.Range(0, 3).Min(_ => AllocatedBy(Messages)), 0, Messages * 16);
        clients.ForEach(client => client.Dispose());

        long AllocatedBy(int messages)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            Burst(messages);
            return GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        void Burst(int messages)
        {
            for (var i = 0; i < messages; i++)
            {
                FakeMessageSource.Accept(sink, topic, body);
                sink.BatchEnd();
                foreach (var client in clients) Receive(client, bytes + (bytes < 126 ? 2 : 4));
            }
        }

        void Receive(Socket socket, int length)
        {
            while (length > 0) length -= socket.Receive(received.AsSpan(0, length), SocketFlags.None);
        }
    }

    /// <summary>How many segments are out at once depends on how the threads run; let there be enough.</summary>
    private static void WarmUp(SegmentPool pool)
    {
        int[] sizes = [SegmentPool.Small, SegmentPool.Large];
        foreach (var segment in sizes.SelectMany(size => Enumerable.Repeat(size, 16)).Select(size => pool.Rent(size, firstSequence: 0)).ToList())
            segment.Release(pool);
    }

    /// <summary>A client that only ever blocks: a socket that was once used asynchronously allocates when a blocking call has to wait.</summary>
    private static Socket Open(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        socket.Connect("127.0.0.1", port);
        socket.Send(Encoding.ASCII.GetBytes(
            "GET /s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
        var (head, one) = ("", new byte[1]);
        while (!head.EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            Assert.Equal(1, socket.Receive(one));
            head += (char)one[0];
        }

        return socket;
    }
}

/// <summary>What the whole process allocates is counted, so nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(FanOutAllocationTests), DisableParallelization = true)]
public class FanOutAllocationGroup;
