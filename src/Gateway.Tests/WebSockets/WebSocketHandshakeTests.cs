using System.Net;
using System.Net.WebSockets;
using Gateway.Tests.TestSupport;
using Gateway.WebSockets;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.WebSockets;

public class WebSocketHandshakeTests(WebSocketEchoServer server) : IClassFixture<WebSocketEchoServer>
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private static readonly (string Name, string Value)[] Good =
    [
        ("Host", "localhost"), ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    [Fact]
    public void The_accept_value_is_that_of_the_RFC() =>
        Assert.Equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", WebSocketHandshake.AcceptFor("dGhlIHNhbXBsZSBub25jZQ=="));

    [Theory]
    [InlineData("Sec-WebSocket-Key", null, 400)]
    [InlineData("Sec-WebSocket-Key", "", 400)]
    [InlineData("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ", 400)]
    [InlineData("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZ!==", 400)]
    [InlineData("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZXh4", 400)]
    [InlineData("Sec-WebSocket-Version", null, 426)]
    [InlineData("Sec-WebSocket-Version", "8", 426)]
    [InlineData("Sec-WebSocket-Version", "13, 8", 426)]
    [InlineData("Upgrade", null, 426)]
    [InlineData("Upgrade", "h2c", 426)]
    [InlineData("Connection", "close", 400)]
    [InlineData("Sec-WebSocket-Protocol", "a,,b\u0001", 400)]
    [InlineData("Sec-WebSocket-Protocol", "unknown", 400)]
    public async Task A_bad_header_is_refused(string name, string? value, int status) =>
        Assert.StartsWith($"HTTP/1.1 {status} ", await AnswerAsync(Request(name, value)), StringComparison.Ordinal);

    [Theory]
    [InlineData("Connection", "keep-alive, Upgrade")]
    [InlineData("Connection", "UPGRADE")]
    [InlineData("Upgrade", "WebSocket")]
    [InlineData("Upgrade", "h2c , websocket")]
    [InlineData("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")]
    public async Task An_unusual_but_good_header_is_accepted_and_no_extension_is(string name, string value)
    {
        var answer = await AnswerAsync(Request(name, value));
        Assert.StartsWith("HTTP/1.1 101 Switching Protocols\r\n", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Extensions", answer, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_wrong_version_is_told_the_right_one() =>
        Assert.Contains("\r\nSec-WebSocket-Version: 13\r\n", await AnswerAsync(Request("Sec-WebSocket-Version", "7")), StringComparison.Ordinal);

    [Theory]
    [InlineData("POST /", "HTTP/1.1")]
    [InlineData("GET /", "HTTP/1.0")]
    public async Task Only_a_GET_of_HTTP_1_1_is_upgraded(string methodAndTarget, string version) =>
        Assert.Contains(" 400 ", (await AnswerAsync(Request("X-Nothing", "1", methodAndTarget, version)))[..13], StringComparison.Ordinal);

    [Theory]
    [InlineData(200, 5)]
    [InlineData(33, 5)]
    [InlineData(1, 20_000)]
    [InlineData(10_000, 1)]
    public async Task Too_many_or_too_long_subprotocols_are_refused(int count, int length)
    {
        var offered = string.Join(',', Enumerable.Repeat(new string('a', length), count));
        Assert.StartsWith("HTTP/1.1 400 ", await AnswerAsync(Request("Sec-WebSocket-Protocol", offered)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_hostile_list_of_subprotocols_costs_next_to_no_memory()
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.SecWebSocketVersion = "13";
        context.Request.Headers.SecWebSocketProtocol = string.Concat(Enumerable.Repeat(" ,\t,", 2_000)) + new string('x', 20_000);
        context.Features.Set<Microsoft.AspNetCore.Http.Features.IHttpExtendedConnectFeature>(new Connect());
        WebSocketHandshake.TryCheck(context, ["a"], requireSubprotocol: false, out _, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(WebSocketHandshake.TryCheck(context, ["a"], requireSubprotocol: false, out _, out var refusal));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1024);
        Assert.Equal(400, refusal.Status);
    }

    [Theory]
    [InlineData("ZWS2.0/NULL,ZWS2.0", "ZWS2.0/NULL,ZWS2.0", "ZWS2.0/NULL")]
    [InlineData("ZWS2.0/NULL,ZWS2.0", "ZWS2.0,ZWS2.0/NULL", "ZWS2.0")]
    [InlineData("gateway.json.v1", "bearer.abc, gateway.json.v1", "gateway.json.v1")]
    public async Task The_first_offer_that_is_supported_is_taken_even_with_a_slash(string supported, string offered, string taken)
    {
        var answer = await AnswerAsync(Request("Sec-WebSocket-Protocol", offered, $"GET /?sub={Uri.EscapeDataString(supported)}"));
        Assert.Contains($"\r\nSec-WebSocket-Protocol: {taken}\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nUpgrade: websocket\r\n", answer, StringComparison.OrdinalIgnoreCase);
        // libzmq's client takes this header with this one token only.
        Assert.Contains("\r\nConnection: upgrade\r\n", answer, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_client_that_offers_no_subprotocol_where_one_is_required_is_refused() =>
        Assert.StartsWith("HTTP/1.1 400 ", await AnswerAsync(Request("X-Nothing", "1", "GET /?sub=a")), StringComparison.Ordinal);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_client_of_NET_is_echoed_to_over_both_versions_of_HTTP(bool http2)
    {
        using var client = new ClientWebSocket();
        client.Options.DangerousDeflateOptions = new WebSocketDeflateOptions();
        client.Options.HttpVersion = http2 ? HttpVersion.Version20 : HttpVersion.Version11;
        client.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler());
        using var bound = new CancellationTokenSource(Bound);
        await client.ConnectAsync(new Uri($"ws://127.0.0.1:{(http2 ? server.Http2Port : server.Port)}/"), invoker, bound.Token);
        var message = new byte[100_000];
        new Random(1).NextBytes(message);
        await client.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, bound.Token);
        var received = new byte[message.Length];
        var at = 0;
        while (at < received.Length) at += (await client.ReceiveAsync(received.AsMemory(at), bound.Token)).Count;
        Assert.True(message.AsSpan().SequenceEqual(received));
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", bound.Token);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, client.CloseStatus);
    }

    private static string Request(string name, string? value, string methodAndTarget = "GET /", string version = "HTTP/1.1")
    {
        var headers = Good.Where(header => header.Name != name).Append((name, value ?? "")).Where(header => header.Item1 != name || value is not null);
        return $"{methodAndTarget} {version}\r\n{string.Concat(headers.Select(header => $"{header.Item1}: {header.Item2}\r\n"))}\r\n";
    }

    private async Task<string> AnswerAsync(string request)
    {
        await using var client = new RawWebSocketClient();
        return await client.HandshakeAsync(server.Port, request);
    }

    private sealed class Connect : Microsoft.AspNetCore.Http.Features.IHttpExtendedConnectFeature
    {
        public bool IsExtendedConnect => true;

        public string Protocol => "websocket";

        public ValueTask<Stream> AcceptAsync() => new(Stream.Null);
    }
}
