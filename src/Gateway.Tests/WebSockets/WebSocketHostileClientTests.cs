using Gateway.Tests.TestSupport;

namespace Gateway.Tests.WebSockets;

public class WebSocketHostileClientTests(WebSocketEchoServer server) : IClassFixture<WebSocketEchoServer>
{
    [Theory]
    [InlineData("82ff7fffffffffffffff", 1009)]
    [InlineData("82ff8000000000000000", 1002)]
    [InlineData("82ff0000000100000000", 1009)]
    [InlineData("82fe000500000000", 1002)]
    public async Task A_bad_length_is_refused_before_any_body(string header, int code) =>
        Assert.Equal(code, await CodeAfterAsync("/", Convert.FromHexString(header)));

    [Fact]
    public async Task A_message_of_one_byte_too_many_is_refused_whole_and_in_fragments()
    {
        const string Target = "/?max=1000";
        var whole = AutobahnCase.Frame(2, new byte[1001]);
        byte[] fragments = [.. AutobahnCase.Frame(2, new byte[1000], fin: false), .. AutobahnCase.Frame(0, new byte[1])];
        Assert.Equal(1009, await CodeAfterAsync(Target, whole));
        Assert.Equal(1009, await CodeAfterAsync(Target, fragments));
        Assert.DoesNotContain(server.Received, message => message is "Binary 1000" or "Binary 1001");
    }

    [Fact]
    public async Task A_message_of_exactly_the_limit_is_taken()
    {
        await using var client = await RawWebSocketClient.OpenAsync(server.Port, "/?max=1234");
        await client.SendAsync(AutobahnCase.Frame(2, new byte[1234]));
        Assert.Equal(1234, (await client.ReadEventAsync())?.Payload.Length);
        Assert.Contains("Binary 1234", server.Received);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_message_in_too_many_fragments_ends_the_connection_with_1008(int fragmentBytes)
    {
        var fragment = AutobahnCase.Frame(0, new byte[fragmentBytes], fin: false);
        byte[] many = [.. AutobahnCase.Frame(2, new byte[fragmentBytes], fin: false), .. Enumerable.Repeat(fragment, 131_072).SelectMany(bytes => bytes)];
        Assert.Equal(1008, await CodeAfterAsync("/", many));
    }

    [Fact]
    public async Task An_unmasked_frame_ends_the_connection_and_is_not_delivered()
    {
        Assert.Equal(1002, await CodeAfterAsync("/", [0x82, 0x03, 1, 2, 3]));
        Assert.DoesNotContain("Binary 3", server.Received);
    }

    [Fact]
    public async Task A_client_that_vanishes_inside_a_message_leaves_the_others_alone()
    {
        await using var honest = await RawWebSocketClient.OpenAsync(server.Port);
        await using (var rude = await RawWebSocketClient.OpenAsync(server.Port))
        {
            await rude.SendAsync(AutobahnCase.Frame(2, new byte[10_000]).AsMemory(0, 5_000));
            rude.Socket.LingerState = new System.Net.Sockets.LingerOption(enable: true, seconds: 0);
        }

        await honest.SendAsync(AutobahnCase.Frame(1, "still here"u8));
        Assert.Equal("still here"u8.ToArray(), (await honest.ReadEventAsync())?.Payload);
        Assert.DoesNotContain("Binary 10000", server.Received);
    }

    [Fact]
    public async Task A_client_that_reads_nothing_is_cut_when_a_write_has_stalled_for_too_long()
    {
        await using var patient = await WebSocketEchoServer.StartAsync(writeTimeout: TimeSpan.FromMilliseconds(500));
        await using var client = await RawWebSocketClient.OpenAsync(patient.Port);
        // More than both sockets' buffers take, so the echo stalls for as long as nobody reads here.
        await client.SendAsync(AutobahnCase.Frame(2, new byte[16 * 1024 * 1024]));
        Assert.Equal("Lost 0", await patient.Ends.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    private async Task<int?> CodeAfterAsync(string target, byte[] bytes)
    {
        await using var client = await RawWebSocketClient.OpenAsync(server.Port, target);
        await client.SendAsync(bytes);
        var close = await client.ReadEventAsync();
        Assert.Equal(8, close?.Opcode);
        return close?.CloseCode;
    }
}
