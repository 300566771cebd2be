using Gateway.Configuration;
using Gateway.Streams;

namespace Gateway.Tests.Streams;

public class AudienceLogTests
{
    public static TheoryData<SlowConsumerPolicy, int> PoliciesAndSeeds()
    {
        var data = new TheoryData<SlowConsumerPolicy, int>();
        foreach (var policy in Enum.GetValues<SlowConsumerPolicy>())
        {
            for (var seed = 0; seed < 30; seed++) data.Add(policy, seed);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(PoliciesAndSeeds))]
    public void Everybody_gets_whole_messages_in_order_and_loses_exactly_what_is_counted(SlowConsumerPolicy policy, int seed)
    {
        var random = new Random(seed);
        var driver = new LogDriver(policy, random, maxMessages: 50, maxBytes: seed % 2 == 0 ? 100_000 : 2_000_000, lanes: 2, clients: 8);
        for (var step = 0; step < 600; step++)
        {
            switch (random.Next(10))
            {
                case < 5:
                    driver.Append(driver.SomeSize());
                    break;
                case < 7:
                    driver.PassLane(random.Next(2), stallOneIn: 6);
                    break;
                default:
                    driver.Resume(random.Next(8));
                    break;
            }
        }

        driver.CatchUp();
        foreach (var client in driver.Clients)
        {
            Assert.Equal(driver.Appended, client.Received + client.Lost);
            if (policy == SlowConsumerPolicy.Block) Assert.Equal(0, client.Lost);
            if (policy == SlowConsumerPolicy.Conflate && driver.Log.EvictedTopics == 0) Assert.Equal(driver.LatestByTopic, client.LatestByTopic);
        }

        if (policy == SlowConsumerPolicy.Disconnect) Assert.Equal(0, driver.LostByLanes);
        driver.Log.Clear();
        Assert.Equal(0, driver.Pool.RentedBytes);
    }

    [Fact]
    public void An_audience_that_is_caught_up_holds_nothing()
    {
        var driver = new LogDriver(SlowConsumerPolicy.DropOldest, new Random(1), maxMessages: 1000, maxBytes: 1 << 20, lanes: 2, clients: 4);
        driver.Append(40_000);
        for (var i = 0; i < 10; i++) driver.Append(1000);
        driver.PassLane(0, stallOneIn: 0);
        Assert.True(driver.Pool.RentedBytes > 0);
        driver.PassLane(1, stallOneIn: 0);
        Assert.Equal(0, driver.Pool.RentedBytes);
        Assert.Equal(0, driver.Log.Bytes);
    }

    [Fact]
    public void A_stalled_subscriber_costs_no_more_than_the_bound_and_a_segment()
    {
        var driver = new LogDriver(SlowConsumerPolicy.DropOldest, new Random(1), maxMessages: 1_000_000, maxBytes: 1 << 20, lanes: 1, clients: 2);
        driver.Append(100);
        driver.PassLane(0, stallOneIn: 0, stall: 0);
        for (var i = 0; i < 50_000; i++)
        {
            driver.Append(100);
            driver.PassLane(0, stallOneIn: 0);
            Assert.InRange(driver.Pool.RentedBytes, 0, (1 << 20) + (3 * SegmentPool.Large));
        }

        driver.CatchUp();
        Assert.Equal(50_001, driver.Clients[0].Received + driver.Clients[0].Lost);
        Assert.InRange(driver.Clients[0].Received, 9_000, 11_000); // A MiB of messages of 108 bytes, and the one it stood in.
        Assert.Equal(0, driver.Clients[1].Lost);
    }

    [Theory]
    [InlineData(SlowConsumerPolicy.DropOldest, "0,7,8,9")]
    [InlineData(SlowConsumerPolicy.Disconnect, "0,7,8,9")]
    [InlineData(SlowConsumerPolicy.DropNewest, "0,1,2,9")]
    public void The_policy_says_which_messages_are_lost(SlowConsumerPolicy policy, string received)
    {
        var driver = new LogDriver(policy, new Random(1), maxMessages: 3, maxBytes: 1 << 20, lanes: 1, clients: 2);
        driver.Append(50);
        driver.PassLane(0, stallOneIn: 0, stall: 0); // Client 0 stops inside message 0.
        for (var i = 1; i < 10; i++)
        {
            driver.Append(50);
            driver.PassLane(0, stallOneIn: 0);
            if (i == 8 && policy == SlowConsumerPolicy.DropNewest) driver.Resume(0, all: true);
        }

        driver.CatchUp();
        Assert.Equal(received, string.Join(',', driver.Clients[0].Sequences));
        Assert.Equal(10 - driver.Clients[0].Received, driver.Clients[0].Lost);
        Assert.Equal(Enumerable.Range(0, 10), driver.Clients[1].Sequences);
    }

    [Fact]
    public void Conflate_keeps_the_latest_of_each_topic_for_who_fell_behind()
    {
        var driver = new LogDriver(SlowConsumerPolicy.Conflate, new Random(1), maxMessages: 100, maxBytes: 1 << 20, lanes: 1, clients: 2);
        driver.Append(50, topic: 0);
        driver.PassLane(0, stallOneIn: 0, stall: 0);
        int[] topics = [1, 2, 1, 3, 1];
        foreach (var topic in topics)
        {
            driver.Append(50, topic);
            driver.PassLane(0, stallOneIn: 0);
        }

        driver.CatchUp();
        Assert.Equal([0, 2, 4, 5], driver.Clients[0].Sequences);
        Assert.Equal(2, driver.Clients[0].Lost);
        Assert.Equal([0, 1, 2, 3, 4, 5], driver.Clients[1].Sequences);
    }

    [Fact]
    public void Block_pauses_the_source_at_the_bound_and_lets_it_go_on_when_the_slowest_has_room()
    {
        var driver = new LogDriver(SlowConsumerPolicy.Block, new Random(1), maxMessages: 3, maxBytes: 1 << 20, lanes: 1, clients: 2);
        driver.Append(50);
        driver.PassLane(0, stallOneIn: 0, stall: 0);
        driver.Append(50);
        driver.Append(50);
        driver.PassLane(0, stallOneIn: 0);
        Assert.False(driver.IsPaused);
        driver.Append(50);
        driver.PassLane(0, stallOneIn: 0);
        Assert.True(driver.IsPaused);
        driver.Resume(0, all: true);
        Assert.False(driver.IsPaused);
        Assert.Equal([0, 1, 2, 3], driver.Clients[0].Sequences);
    }

    [Fact]
    public void A_subscriber_that_leaves_ends_a_pause_that_it_caused()
    {
        var driver = new LogDriver(SlowConsumerPolicy.Block, new Random(1), maxMessages: 1, maxBytes: 1 << 20, lanes: 1, clients: 2);
        driver.Append(50);
        driver.PassLane(0, stallOneIn: 0, stall: 0);
        driver.Append(50);
        driver.PassLane(0, stallOneIn: 0);
        Assert.True(driver.IsPaused);
        driver.Leave(0);
        Assert.False(driver.IsPaused);
        Assert.Equal(0, driver.Pool.RentedBytes);
    }

    [Fact]
    public void Appending_and_sending_allocate_nothing_once_the_pool_is_warm()
    {
        var pool = new SegmentPool();
        var log = new AudienceLog(new SubscriberOptions(), 10, pool, static () => { });
        var reader = new LogReader();
        log.Add(reader);
        var body = new byte[1000];
        Burst(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Burst(10_000);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Burst(int messages)
        {
            for (var i = 0; i < messages; i++)
            {
                log.Append([1, 2], new FrameBytes(body), default);
                if (i % 10 == 0 && log.TryRead(reader, out var batch, out _)) log.Complete(reader, batch);
            }
        }
    }
}
