using Gateway.Tests.TestSupport;
using Xunit.Abstractions;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Faults;

/// <summary>
/// Row 28 of docs/reliability.md: a size is announced and nothing follows. It looks at the memory of the process, so it runs alone.
/// </summary>
[Collection("Alone")]
public class AnnouncedSizeTests(ITestOutputHelper output)
{
    private const int Peers = 500;

    [Fact]
    public async Task Five_hundred_peers_that_announce_2_to_the_40_bytes_cost_16_KiB_each_at_most_and_are_closed_by_heartbeats()
    {
        var time = new ManualTimeProvider();
        await using var socket = new PullSocket(new ZmtpOptions
        {
            Time = time, HeartbeatInterval = TimeSpan.FromSeconds(10), HeartbeatTimeout = TimeSpan.FromSeconds(30),
        });
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        // The first ones pay for what is made once.
        List<ScriptedPeer> peers = [await AnnounceAsync(endpoint), await AnnounceAsync(endpoint)];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        while (peers.Count < Peers + 2) peers.Add(await AnnounceAsync(endpoint));
        var each = (GC.GetTotalMemory(forceFullCollection: true) - before) / Peers;
        output.WriteLine($"{each:#,0} bytes a peer, the test's own half of the connection included");
        Assert.InRange(each, 1, 16 * 1024);

        time.Advance(TimeSpan.FromSeconds(41));
        foreach (var peer in peers)
        {
            await peer.ReceiveToEndAsync();
            await peer.DisposeAsync();
        }

        Assert.False(socket.TryReceive(out _));
    }

    private static async Task<ScriptedPeer> AnnounceAsync(string endpoint)
    {
        var peer = await ScriptedPeer.ConnectAsync(endpoint);
        await peer.HandshakeAsync("PUSH");
        await peer.SendAsync(ZmtpBytes.LongHeader(0, 1UL << 40));
        return peer;
    }
}
