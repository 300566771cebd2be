using Gateway.Backends;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Calls;

/// <summary>ZeroMQ peers over WebSocket on call routes.</summary>
public class ZwsCallTests
{
    [Fact]
    public async Task A_REQs_frames_go_to_the_backend_and_the_reply_comes_back_in_its_envelope()
    {
        await using var gateway = await Echo().StartAsync();
        var (client, type) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/call", "REQ");
        await using var open = client;
        Assert.Equal("ROUTER", type);
        await client.SendMessageAsync("", "a", "b");
        Assert.Equal("|re|a|b", await client.ReadMessageAsync());
    }

    [Fact]
    public async Task A_DEALER_has_several_in_flight_and_each_reply_has_its_own_envelope()
    {
        List<FakeCaller.Exchange> waiting = [];
        var both = new TaskCompletionSource();
        var caller = new FakeCaller(async call =>
        {
            lock (waiting)
            {
                waiting.Add(call);
                if (waiting.Count == 2) both.SetResult();
            }

            await both.Task;
            await call.ReplyAsync([.. call.Texts.Prepend("re")]);
        });
        await using var gateway = await caller.StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/call", "DEALER");
        await using var open = client;
        await client.SendMessageAsync("id1", "", "x");
        await client.SendMessageAsync("y");
        string[] replies = [await client.ReadMessageAsync(), await client.ReadMessageAsync()];
        Assert.Equal(["id1||re|x", "re|y"], replies.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_request_without_a_body_is_dropped_and_the_next_one_answered()
    {
        await using var gateway = await Echo().StartAsync();
        await using var client = await ZwsClient.OpenBareAsync(gateway.BaseAddress.Port, "/call", "me");
        await client.SendMessageAsync("");
        await client.SendMessageAsync("", "x");
        Assert.Equal("|re|x", await client.ReadMessageAsync());
    }

    [Fact]
    public async Task A_timeout_gives_no_reply_and_the_connection_lives_on()
    {
        var caller = new FakeCaller(call => call.Texts.Contains("slow") ? throw new BackendTimeoutException("service", TimeSpan.FromSeconds(1)) : call.ReplyAsync("ok"));
        await using var gateway = await caller.StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/call", "DEALER");
        await using var open = client;
        await client.SendMessageAsync("", "slow");
        await client.SendMessageAsync("", "fast");
        Assert.Equal("|ok", await client.ReadMessageAsync());
    }

    [Fact]
    public async Task A_backend_that_is_not_there_closes_with_1013()
    {
        await using var gateway = await new FakeCaller(_ => throw new BackendUnavailableException("service", "refused")).StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/call", "REQ");
        await using var open = client;
        await client.SendMessageAsync("", "x");
        Assert.Equal(1013, await client.ReadCloseAsync());
    }

    [Fact]
    public async Task A_request_above_MaxBodySize_closes_with_1009()
    {
        await using var gateway = await FakeCaller.Replying("ok").StartAsync("MaxBodySize=100");
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/call", "DEALER");
        await using var open = client;
        await client.SendMessageAsync("", new string('x', 98), "yz");
        Assert.Equal("|ok", await client.ReadMessageAsync());
        await client.SendMessageAsync("", new string('x', 98), "yzz");
        Assert.Equal(1009, await client.ReadCloseAsync());
    }

    [Fact]
    public async Task A_large_request_and_its_reply_in_pieces_arrive_whole()
    {
        var caller = new FakeCaller(async call =>
        {
            var body = call.Frames[0];
            await call.SendPartAsync(body.AsMemory(0, 1_000), body.Length, isFirst: true, isLast: false, more: false);
            await call.SendPartAsync(body.AsMemory(1_000), body.Length, isFirst: false, isLast: true, more: false);
        });
        await using var gateway = await caller.StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/call", "REQ");
        await using var open = client;
        var body = string.Concat(Enumerable.Range(0, 300_000).Select(i => (char)('a' + (i % 26))));
        await client.SendMessageAsync("", body);
        Assert.Equal("|" + body, await client.ReadMessageAsync());
    }

    [Fact]
    public async Task The_call_of_a_client_that_left_is_given_up()
    {
        var begun = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        var caller = new FakeCaller(async call =>
        {
            await using var registration = call.Cancelled.UnsafeRegister(_ => cancelled.TrySetResult(), null);
            begun.SetResult();
            await cancelled.Task;
            call.Cancelled.ThrowIfCancellationRequested();
        });
        await using var gateway = await caller.StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/call", "REQ");
        await client.SendMessageAsync("", "x");
        await begun.Task.WaitAsync(ScriptedPeer.Patience);
        await client.DisposeAsync();
        await cancelled.Task.WaitAsync(ScriptedPeer.Patience);
    }

    [Theory]
    [InlineData("Methods:0=POST")]
    [InlineData("Methods:0=GET")]
    public async Task A_route_takes_ZeroMQ_peers_whatever_its_methods(string methods)
    {
        await using var gateway = await Echo().StartAsync(methods);
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/call/7", "REQ");
        await using var open = client;
        await client.SendMessageAsync("", "x");
        Assert.Equal("|re|x", await client.ReadMessageAsync());
    }

    [Fact]
    public async Task A_peer_is_told_1001_when_the_gateway_stops()
    {
        await using var gateway = await Echo().StartAsync();
        var (client, _) = await ZwsClient.OpenAsync(gateway.BaseAddress.Port, "/call", "REQ");
        await using var open = client;
        await client.SettleAsync();
        var stopping = gateway.StopAsync();
        Assert.Equal(1001, await client.ReadCloseAsync());
        await client.SendAsync(ZwsBytes.Close(1001, mask: true));
        await stopping.WaitAsync(ScriptedPeer.Patience);
    }

    [Fact]
    public async Task A_WebSocket_without_a_subprotocol_is_told_which_there_are()
    {
        await using var gateway = await Echo().StartAsync();
        await using var client = new RawWebSocketClient();
        var head = await client.HandshakeAsync(gateway.BaseAddress.Port,
            "GET /call HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400 ", head, StringComparison.Ordinal);
    }

    private static FakeCaller Echo() => new(call => call.ReplyAsync([.. call.Texts.Prepend("re")]));
}
