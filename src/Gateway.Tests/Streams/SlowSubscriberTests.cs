using System.Buffers.Binary;
using Gateway.Tests.TestSupport;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Tests.Streams;

/// <summary>A client that does not read, beside others that do, over real sockets.</summary>
public class SlowSubscriberTests
{
    // Enough to fill the kernel's buffers and the log several times over.
    private const int MessageBytes = 8 * 1024;
    private const int Messages = 3000;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task It_loses_the_oldest_and_exactly_what_is_counted_while_others_lose_nothing()
    {
        await using var host = await StreamHost.StartAsync();
        await using var slow = await host.OpenAsync();
        await using var quick = await host.OpenAsync();
        for (var i = 0; i < Messages; i++)
        {
            await host.Source.SendAsync(Message(i));
            Assert.Equal(i, NumberOf(await quick.ReadFrameAsync()));
        }

        Assert.InRange(host.Streams.Pool.RentedBytes, 1, 2 * 1024 * 1024);
        var got = await CountUntilAsync(slow, Messages - 1);
        Assert.InRange(got, 1, Messages - 1);
        Assert.Equal(Messages, got + host.Counters.DroppedMessages);
    }

    [Fact]
    public async Task Conflated_it_gets_the_latest_of_each_topic()
    {
        await using var host = await StreamHost.StartAsync("Subscribers:Policy=Conflate");
        await using var slow = await host.OpenAsync();
        await using var quick = await host.OpenAsync();
        for (var i = 0; i < Messages; i++)
        {
            await host.Source.SendAsync([(byte)(i % 3)], Message(i));
            await quick.ReadFrameAsync();
        }

        var got = 0;
        var last = new int[3];
        for (var number = 0; number < Messages - 1; got++)
        {
            number = NumberOf(await slow.ReadFrameAsync());
            last[number % 3] = number;
        }

        Assert.Equal([Messages - 3, Messages - 2, Messages - 1], last);
        Assert.Equal(Messages, got + host.Counters.DroppedMessages);
    }

    [Fact]
    public async Task Under_Block_the_source_waits_for_it_and_nothing_is_lost()
    {
        await using var host = await StreamHost.StartAsync("Subscribers:Policy=Block");
        await using var slow = await host.OpenAsync();
        var paused = new TaskCompletionSource();
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Messages; i++)
            {
                var sent = host.Source.SendAsync(Message(i));
                if (!sent.IsCompleted) paused.TrySetResult();
                await sent;
            }
        });
        await paused.Task.WaitAsync(Bound);
        for (var i = 0; i < Messages; i++) Assert.Equal(i, NumberOf(await slow.ReadFrameAsync()));
        await sending.WaitAsync(Bound);
        Assert.Equal(0, host.Counters.DroppedMessages);
    }

    [Fact]
    public async Task Under_Disconnect_it_is_closed_with_4008_at_a_message_boundary_and_others_stay()
    {
        await using var host = await StreamHost.StartAsync("Subscribers:Policy=Disconnect");
        await using var slow = await host.OpenAsync();
        await using var quick = await host.OpenAsync();
        for (var i = 0; i < Messages; i++)
        {
            await host.Source.SendAsync(Message(i));
            Assert.Equal(i, NumberOf(await quick.ReadFrameAsync()));
        }

        for (var i = 0; ; i++)
        {
            var frame = await slow.ReadFrameAsync();
            if (frame!.Opcode == 8)
            {
                Assert.Equal(4008, frame.CloseCode);
                break;
            }

            Assert.Equal(i, NumberOf(frame));
        }
    }

    [Fact]
    public async Task One_that_does_not_answer_a_ping_is_cut()
    {
        var clock = new ManualTimeProvider();
        await using var host = await StreamHost.StartAsync(services => services.AddSingleton<TimeProvider>(clock));
        await using var silent = await host.OpenAsync();
        clock.Advance(TimeSpan.FromSeconds(25));
        Assert.Equal(9, (await silent.ReadFrameAsync())!.Opcode);
        clock.Advance(TimeSpan.FromSeconds(11));
        await Assert.ThrowsAnyAsync<IOException>(async () => Assert.Null(await silent.ReadFrameAsync() ?? throw new IOException("ended")));
        Assert.Equal(1, host.Counters.CutSubscribers);
    }

    [Fact]
    public async Task A_flood_of_pings_that_are_not_read_costs_one_pong()
    {
        await using var host = await StreamHost.StartAsync();
        await using var rude = await host.OpenAsync();
        await using var polite = await host.OpenAsync();
        var ping = new byte[131];
        (ping[0], ping[1]) = (0x89, 0xFD);
        var flood = Enumerable.Repeat(ping, 1000).SelectMany(bytes => bytes).ToArray();
        for (var i = 0; i < 100; i++) await rude.SendAsync(flood);
        await host.Source.SendAsync(Message(7));
        Assert.Equal(7, NumberOf(await polite.ReadFrameAsync()));
        for (var pongs = 0; ; pongs++)
        {
            var frame = await rude.ReadFrameAsync();
            if (frame!.Opcode == 2) break;
            Assert.InRange(pongs, 0, 100_000);
        }
    }

    private static byte[] Message(int number)
    {
        var message = new byte[MessageBytes];
        BinaryPrimitives.WriteInt32LittleEndian(message, number);
        return message;
    }

    private static int NumberOf(RawFrame? frame) => BinaryPrimitives.ReadInt32LittleEndian(frame!.Payload);

    private static async Task<int> CountUntilAsync(RawWebSocketClient client, int last)
    {
        var (count, previous) = (0, -1);
        while (previous < last)
        {
            var number = NumberOf(await client.ReadFrameAsync());
            Assert.True(number > previous);
            (previous, count) = (number, count + 1);
        }

        return count;
    }
}
