using System.Text;
using Zmtp.Transports;
using Zmtp.Transports.WebSockets;

namespace Gateway.Tests.Zmtp.Transports;

/// <summary>The upgrade, both roles. Key and answer are those of RFC 6455, 1.3.</summary>
public class WebSocketUpgradeTests
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private const string GoodRequest =
        "GET /x?y HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: " + Key + "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ZWS2.0/NULL,ZWS2.0\r\n\r\n";
    private const string GoodAnswer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: ZWS2.0/NULL\r\n\r\n";

    private static readonly string[] Both = ["ZWS2.0/NULL", "ZWS2.0"];

    [Fact]
    public void The_answer_is_that_of_libzmq_to_the_letter()
    {
        Assert.True(WebSocketUpgrade.TryAnswer(Bytes(GoodRequest), Both, out var chosen, out var answer, out _));
        Assert.Equal(("ZWS2.0/NULL", GoodAnswer), (chosen, Encoding.ASCII.GetString(answer)));
    }

    [Theory]
    [InlineData("ZWS2.0,ZWS2.0/NULL", "ZWS2.0")]
    [InlineData("foo, ZWS2.0/NULL, ZWS2.0", "ZWS2.0/NULL")]
    [InlineData("ZWS2.0\r\nSec-WebSocket-Protocol: ZWS2.0/NULL", "ZWS2.0")]
    public void The_first_of_the_clients_list_that_is_spoken_is_taken(string offered, string expected)
    {
        Assert.True(WebSocketUpgrade.TryAnswer(Bytes(GoodRequest.Replace("ZWS2.0/NULL,ZWS2.0", offered, StringComparison.Ordinal)), Both, out var chosen, out _, out _));
        Assert.Equal(expected, chosen);
    }

    [Theory]
    [InlineData("GET /x?y HTTP/1.1", "POST / HTTP/1.1", "GET")]
    [InlineData("GET /x?y HTTP/1.1", "GET / HTTP/1.0", "GET")]
    [InlineData("GET /x?y HTTP/1.1", "GET x HTTP/1.1", "GET")]
    [InlineData("Host: h\r\n", "", "Host")]
    [InlineData("Host: h\r\n", "Host: h\r\nHost: g\r\n", "Host")]
    [InlineData("Upgrade: websocket", "Upgrade: h2c", "Upgrade: websocket")]
    [InlineData("keep-alive, Upgrade", "keep-alive", "Connection")]
    [InlineData("Version: 13", "Version: 8", "Version is not 13")]
    [InlineData(Key, "c2hvcnQ=", "Key")]
    [InlineData("ZWS2.0/NULL,ZWS2.0", "ZWS2.0/PLAIN", "offers none")]
    [InlineData("Sec-WebSocket-Protocol: ZWS2.0/NULL,ZWS2.0\r\n", "", "offers none")]
    [InlineData("Host: h\r\n", "Host: h\r\nContent-Length: 5\r\n", "body")]
    [InlineData("Host: h\r\n", "Host: h\r\n folded\r\n", "no header field")]
    [InlineData("Host: h\r\n", "Host: h\r\nbad name: x\r\n", "no header field")]
    [InlineData("Host: h\r\n", "Host: h\rX: y\r\n", "no header field")]
    [InlineData("Host: h\r\n", "Host: h\u0000\r\n", "ASCII")]
    public void A_bad_request_is_answered_with_what_is_wrong(string good, string bad, string fault)
    {
        Assert.False(WebSocketUpgrade.TryAnswer(Bytes(GoodRequest.Replace(good, bad, StringComparison.Ordinal)), Both, out _, out var answer, out var why));
        Assert.Contains(fault, why, StringComparison.Ordinal);
        var text = Encoding.ASCII.GetString(answer);
        Assert.StartsWith(bad == "Version: 8" ? "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n" : "HTTP/1.1 400 Bad Request\r\n", text, StringComparison.Ordinal);
        Assert.Contains(fault, text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_good_answer_is_taken_with_other_headers_around()
    {
        Assert.True(WebSocketUpgrade.TryReadResponse(Bytes(GoodAnswer.Replace("\r\nUpgrade", "\r\nServer: x\r\nDate: y\r\nUpgrade", StringComparison.Ordinal)), Key, Both, out var chosen, out _));
        Assert.Equal("ZWS2.0/NULL", chosen);
    }

    [Theory]
    [InlineData("HTTP/1.1 101 Switching Protocols", "HTTP/1.1 404 Not Found", "404 Not Found")]
    [InlineData("HTTP/1.1 101 Switching Protocols", "HTTP/1.1 1010 What", "1010")]
    [InlineData("Upgrade: websocket", "Upgrade: h2c", "Upgrade")]
    [InlineData("Connection: Upgrade", "Connection: close", "Connection")]
    [InlineData("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOp=", "Accept")]
    [InlineData("ZWS2.0/NULL", "ZWS2.0/PLAIN", "chooses none")]
    [InlineData("Sec-WebSocket-Protocol: ZWS2.0/NULL\r\n", "", "chooses none")]
    [InlineData("Upgrade: websocket", "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate", "extension")]
    public void A_bad_answer_is_refused(string good, string bad, string fault)
    {
        Assert.False(WebSocketUpgrade.TryReadResponse(Bytes(GoodAnswer.Replace(good, bad, StringComparison.Ordinal)), Key, Both, out _, out var why));
        Assert.Contains(fault, why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ws://127.0.0.1:80/a/b?x=1", "GET /a/b?x=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n")]
    [InlineData("ws://[::1]:8080", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n")]
    [InlineData("wss://example.org:443/q", "GET /q HTTP/1.1\r\nHost: example.org\r\n")]
    public void The_request_asks_for_the_endpoints_path_and_names_its_host(string endpoint, string begins)
    {
        var request = WebSocketUpgrade.Request(ZmtpEndpoint.Parse(endpoint), Key, Both);
        Assert.StartsWith(begins, Encoding.ASCII.GetString(request), StringComparison.Ordinal);
        Assert.True(WebSocketUpgrade.TryAnswer(request, Both, out _, out _, out _));
    }

    [Theory]
    [InlineData("ws://h:1/a b")]
    [InlineData("ws://h:1/a#b")]
    [InlineData("ws://h:1/\r\nX: y")]
    [InlineData("ws://h")]
    [InlineData("ws://h:65536/")]
    [InlineData("wss://1.2.3.4:5;h:1/")]
    public void An_endpoint_that_could_not_stand_in_a_request_is_none(string endpoint)
    {
        Assert.False(ZmtpEndpoint.TryParse(endpoint, out _, out var error));
        Assert.Contains("://host:port/path", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_head_is_answered_and_never_with_an_exception()
    {
        var random = new Random(6455);
        for (var round = 0; round < 30_000; round++)
        {
            var head = Bytes(round % 2 == 0 ? GoodRequest : GoodAnswer);
            for (var i = random.Next(8); i >= 0; i--) head[random.Next(head.Length)] = (byte)random.Next(256);
            var end = HttpHead.Find(head);
            if (end < 0) continue;
            var isGood = WebSocketUpgrade.TryAnswer(head.AsSpan(0, end), Both, out var chosen, out var answer, out var fault);
            Assert.Equal(isGood, fault.Length == 0);
            Assert.StartsWith(isGood ? "HTTP/1.1 101 " : "HTTP/1.1 4", Encoding.ASCII.GetString(answer), StringComparison.Ordinal);
            Assert.True(!isGood || Both.Contains(chosen));
            Assert.Equal(WebSocketUpgrade.TryReadResponse(head.AsSpan(0, end), Key, Both, out _, out fault), fault.Length == 0);
        }
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
