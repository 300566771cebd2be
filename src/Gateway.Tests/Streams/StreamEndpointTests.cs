using System.Net;
using System.Text;
using Gateway.Tests.TestSupport;
using Zmtp.Wire;

namespace Gateway.Tests.Streams;

public class StreamEndpointTests
{
    private const int Text = 1;
    private const int Binary = 2;

    [Fact]
    public async Task A_subscriber_gets_the_bodies_of_what_its_topic_matches()
    {
        await using var host = await StreamHost.StartAsync();
        await using var client = await host.OpenAsync("/s/EUR");
        await host.Source.SendAsync("USDJPY"u8.ToArray(), "150"u8.ToArray());
        await host.Source.SendAsync("EURUSD"u8.ToArray(), "1.08"u8.ToArray());
        Assert.Equal((Binary, "1.08"), await ReadAsync(client));
    }

    [Fact]
    public async Task Topics_are_named_by_the_path_and_by_the_query_together()
    {
        await using var host = await StreamHost.StartAsync();
        await using var client = await host.OpenAsync("/s/a?topic=b&topic=%C3%A4");
        foreach (var topic in (string[])["b1", "c", "ä", "a2"]) await host.Source.SendAsync(Encoding.UTF8.GetBytes(topic), Encoding.UTF8.GetBytes(topic));
        Assert.Equal((Binary, "b1"), await ReadAsync(client));
        Assert.Equal((Binary, "ä"), await ReadAsync(client));
        Assert.Equal((Binary, "a2"), await ReadAsync(client));
    }

    [Fact]
    public async Task A_message_that_several_topics_match_comes_once()
    {
        await using var host = await StreamHost.StartAsync();
        await using var client = await host.OpenAsync("/s/a?topic=ab&topic=abc&topic=x");
        await host.Source.SendAsync("abcd"u8.ToArray(), "1"u8.ToArray());
        await host.Source.SendAsync("x"u8.ToArray(), "2"u8.ToArray());
        Assert.Equal((Binary, "1"), await ReadAsync(client));
        Assert.Equal((Binary, "2"), await ReadAsync(client));
    }

    [Fact]
    public async Task The_gateway_subscribes_upstream_to_the_union_of_what_clients_want()
    {
        await using var host = await StreamHost.StartAsync();
        await using var first = await host.OpenAsync("/s/a");
        await using var second = await host.OpenAsync("/s/a?topic=b");
        Assert.Equal(["+a", "+b"], host.Source.Asked);
        await CloseAsync(second);
        Assert.Equal(["+a", "+b", "-b"], host.Source.Asked);
        await CloseAsync(first);
        Assert.Equal(["+a", "+b", "-b", "-a"], host.Source.Asked);
    }

    [Fact]
    public async Task Fixed_prefixes_are_subscribed_once_and_stay()
    {
        await using var host = await StreamHost.StartAsync("Gateway:Backends:feed:Upstream:0=");
        await using var client = await host.OpenAsync("/s/a");
        await CloseAsync(client);
        Assert.Equal(["+"], host.Source.Asked);
    }

    [Theory]
    [InlineData("text/plain", "héllo", Text)]
    [InlineData("application/json; charset=utf-8", "{}", Text)]
    [InlineData("application/octet-stream", "x", Binary)]
    [InlineData("image/png", "x", Binary)]
    public async Task The_media_type_says_whether_messages_are_text(string mediaType, string body, int opcode)
    {
        await using var host = await StreamHost.StartAsync($"ContentType={mediaType}");
        await using var client = await host.OpenAsync();
        await host.Source.SendAsync(Encoding.UTF8.GetBytes(body));
        Assert.Equal((opcode, body), await ReadAsync(client));
    }

    [Fact]
    public async Task A_text_route_sends_what_is_not_UTF_8_as_binary()
    {
        await using var host = await StreamHost.StartAsync("ContentType=text/plain");
        await using var client = await host.OpenAsync();
        await host.Source.SendAsync([0xFF, 0xFE]);
        var frame = await client.ReadFrameAsync();
        Assert.Equal(Binary, frame!.Opcode);
        Assert.Equal([0xFF, 0xFE], frame.Payload);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(1_000_000)]
    public async Task A_message_of_any_size_arrives_whole_in_one_frame(int length)
    {
        await using var host = await StreamHost.StartAsync();
        await using var client = await host.OpenAsync();
        var body = new byte[length];
        new Random(length).NextBytes(body);
        await host.Source.SendAsync([1], body);
        await host.Source.SendAsync([1], [42]);
        var frame = await client.ReadFrameAsync();
        Assert.True(frame!.Fin);
        Assert.Equal(body, frame.Payload);
        Assert.Equal([42], (await client.ReadFrameAsync())!.Payload);
    }

    [Fact]
    public async Task A_frame_that_comes_in_pieces_is_one_message_and_one_beyond_the_limit_is_dropped_and_counted()
    {
        await using var host = await StreamHost.StartAsync("Gateway:Backends:feed:Options:MaxMessageSize=100000");
        await using var client = await host.OpenAsync();
        var sink = host.Source.NewPeer();
        var half = new byte[60_000];
        sink.Accept(new FramePart(half, 120_000, isFirst: true, isLast: false, more: false));
        sink.Accept(new FramePart(half, 120_000, isFirst: false, isLast: true, more: false));
        sink.Accept(new FramePart(half, 90_000, isFirst: true, isLast: false, more: false));
        sink.Accept(new FramePart(half.AsSpan(0, 30_000), 90_000, isFirst: false, isLast: true, more: false));
        sink.BatchEnd();
        Assert.Equal(90_000, (await client.ReadFrameAsync())!.Payload.Length);
        Assert.Equal(1, host.Hub.OversizeMessages);
    }

    [Fact]
    public async Task A_ping_is_answered_between_messages()
    {
        await using var host = await StreamHost.StartAsync();
        await using var client = await host.OpenAsync();
        await client.SendAsync(Masked(0x89, "hi"u8));
        var pong = await client.ReadFrameAsync();
        Assert.Equal(0xA, pong!.Opcode);
        Assert.Equal("hi"u8, pong.Payload);
        await host.Source.SendAsync([7]);
        Assert.Equal([7], (await client.ReadFrameAsync())!.Payload);
    }

    [Fact]
    public async Task What_a_client_sends_is_ignored()
    {
        await using var host = await StreamHost.StartAsync();
        await using var client = await host.OpenAsync();
        await client.SendAsync(Masked(0x81, "hello"u8));
        await host.Source.SendAsync([7]);
        Assert.Equal([7], (await client.ReadFrameAsync())!.Payload);
    }

    [Fact]
    public async Task A_close_is_answered_with_its_code_and_the_place_is_given_up()
    {
        await using var host = await StreamHost.StartAsync();
        await using var client = await host.OpenAsync();
        await client.SendAsync(Masked(0x88, [0x03, 0xE8]));
        Assert.Equal(1000, (await client.ReadFrameAsync())!.CloseCode);
        Assert.Null(await client.ReadFrameAsync());
        Assert.Equal(["+", "-"], host.Source.Asked);
        Assert.Equal(0, host.Counters.ActiveSubscribers);
        Assert.Equal(0, host.Streams.Pool.RentedBytes);
    }

    [Fact]
    public async Task A_client_that_breaks_the_protocol_is_told_1002()
    {
        await using var host = await StreamHost.StartAsync();
        await using var client = await host.OpenAsync();
        await client.SendAsync(new byte[] { 0x81, 0x01, 0x41 }); // Not masked.
        Assert.Equal(1002, (await client.ReadFrameAsync())!.CloseCode);
    }

    [Fact]
    public async Task Shutdown_tells_every_subscriber_1001()
    {
        await using var host = await StreamHost.StartAsync();
        var clients = new List<RawWebSocketClient>();
        for (var i = 0; i < 20; i++) clients.Add(await host.OpenAsync($"/s/{i % 3}"));
        var stopping = host.Gateway.StopAsync();
        foreach (var client in clients)
        {
            Assert.Equal(1001, (await client.ReadFrameAsync())!.CloseCode);
            await client.SendAsync(Masked(0x88, [0x03, 0xE9]));
            await client.DisposeAsync();
        }

        await stopping.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_request_without_an_upgrade_is_told_how_to_ask()
    {
        await using var host = await StreamHost.StartAsync();
        using var answer = await host.Gateway.Client.GetAsync("/s/a");
        Assert.Equal(HttpStatusCode.UpgradeRequired, answer.StatusCode);
        Assert.Equal("websocket", answer.Headers.Upgrade.ToString());
        var problem = await answer.Content.ReadAsStringAsync();
        Assert.Contains("\"code\":\"websocket-required\"", problem, StringComparison.Ordinal);
        Assert.Contains("new WebSocket", problem, StringComparison.Ordinal);
        Assert.Empty(host.Source.Asked);
    }

    [Theory]
    [InlineData("Gateway:Limits:MaxTopicsPerClient=2", "/s/a?topic=b&topic=c", "too-many-topics")]
    [InlineData("Gateway:Limits:MaxTopicLength=4", "/s/abcde", "topic-too-long")]
    [InlineData("Gateway:Limits:MaxTopicLength=4", "/s?topic=abcde", "topic-too-long")]
    public async Task Topics_beyond_the_limits_are_refused_and_nothing_is_sent_upstream(string limit, string target, string code)
    {
        await using var host = await StreamHost.StartAsync(limit);
        await using var client = new RawWebSocketClient();
        var head = await client.HandshakeAsync(
            host.Port, $"GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400 ", head, StringComparison.Ordinal);
        Assert.Contains($"\"code\":\"{code}\"", await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Empty(host.Source.Asked);
    }

    private static async Task<(int Opcode, string Text)> ReadAsync(RawWebSocketClient client)
    {
        var frame = await client.ReadFrameAsync();
        return (frame!.Opcode, Encoding.UTF8.GetString(frame.Payload));
    }

    private static async Task CloseAsync(RawWebSocketClient client)
    {
        await client.SendAsync(Masked(0x88, [0x03, 0xE8]));
        while (await client.ReadFrameAsync() is not null)
        {
        }
    }

    // A client's frame with the mask 0, which leaves the payload as it is.
    private static byte[] Masked(byte first, ReadOnlySpan<byte> payload) => [first, (byte)(0x80 | payload.Length), 0, 0, 0, 0, .. payload];
}
