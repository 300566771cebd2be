using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Faults;

/// <summary>
/// Row 15 of docs/reliability.md, the part that is the server's: heads beyond its limits. Keys, versions and subprotocols are with the
/// handshake's tests.
/// </summary>
public class OversizeHeadTests
{
    [Theory]
    [InlineData("a header of 20 KiB", 1, 20 * 1024, 431)]
    [InlineData("65 headers", 65, 1, 431)]
    [InlineData("55 headers of 200 bytes, which are allowed", 55, 200, 101)]
    public async Task A_WebSocket_handshake_with_a_head_beyond_the_limits_is_refused_and_the_next_one_served(string what, int headers,
        int bytes, int status)
    {
        await using var host = await StreamHost.StartAsync();
        var more = string.Concat(Enumerable.Range(0, headers).Select(i => $"X-{i}: {new string('x', bytes)}\r\n"));
        await using (var client = new RawWebSocketClient())
        {
            var head = await client.HandshakeAsync(host.Port,
                "GET /s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n");
            Assert.True(head.StartsWith($"HTTP/1.1 {status} ", StringComparison.Ordinal), $"{what}: {head}");
        }

        await using var next = await host.OpenAsync();
        await host.Source.SendAsync("still here"u8.ToArray());
        Assert.Equal("still here"u8.ToArray(), (await next.ReadFrameAsync())!.Payload);
    }
}
