using Gateway.Tests.TestSupport;

namespace Gateway.Tests.WebSockets;

public class AutobahnTests(WebSocketEchoServer server) : IClassFixture<WebSocketEchoServer>
{
    public static TheoryData<string, string> Cases { get; } = Describe(_ => true);

    public static TheoryData<string, string> SmallCases { get; } = Describe(test => test.IsSmall);

    [Theory]
    [MemberData(nameof(Cases))]
    public Task The_server_passes_case(string id, string what) => RunAsync(id, what, "/");

    [Theory]
    [MemberData(nameof(SmallCases))]
    public Task The_server_reads_one_byte_at_a_time_and_passes_case(string id, string what) => RunAsync(id, what, "/?chop=1");

    [Fact]
    public void The_suite_has_all_301_cases_that_need_no_compression() =>
        Assert.Equal(
            [("1", 16), ("2", 11), ("3", 7), ("4", 10), ("5", 20), ("6", 145), ("7", 37), ("9", 54), ("10", 1)],
            AutobahnCases.All().Select(test => test.Id).Distinct().GroupBy(id => id[..id.IndexOf('.')]).Select(group => (group.Key, group.Count())));

    private static TheoryData<string, string> Describe(Func<AutobahnCase, bool> wanted)
    {
        var data = new TheoryData<string, string>();
        foreach (var test in AutobahnCases.All().Where(wanted)) data.Add(test.Id, test.What);
        return data;
    }

    private async Task RunAsync(string id, string what, string target)
    {
        var test = AutobahnCases.ById(id).Filled();
        Assert.Equal(what, test.What);
        await using var client = await RawWebSocketClient.OpenAsync(server.Port, target);
        var seen = 0;
        foreach (var step in test.Steps)
        {
            await SendAsync(client, step);
            while (seen < step.AwaitEvents) await ExpectAsync(client, test.Expected[seen++]);
        }

        while (seen < test.Expected.Count) await ExpectAsync(client, test.Expected[seen++]);
        if (!test.MustFail && !test.HasClosed) await client.SendAsync(AutobahnCase.Frame(8, [0x03, 0xE8]));
        var close = await client.ReadEventAsync();
        Assert.NotNull(close);
        Assert.Equal(8, close.Opcode);
        Assert.Contains(close.CloseCode, test.CloseCodes);
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Assert.Null(await client.ReadEventAsync());
    }

    private static async Task ExpectAsync(RawWebSocketClient client, RawFrame expected)
    {
        var got = await client.ReadEventAsync();
        Assert.NotNull(got);
        Assert.Equal(expected.Opcode, got.Opcode);
        Assert.True(expected.Payload.AsSpan().SequenceEqual(got.Payload), $"The payload of {got.Payload.Length} bytes differs.");
    }

    private static async Task SendAsync(RawWebSocketClient client, AutobahnCase.Step step)
    {
        if (step.Chop <= 0)
        {
            await client.SendAsync(step.Bytes);
            return;
        }

        for (var rest = step.Bytes; rest.Length > 0; rest = rest[Math.Min(rest.Length, step.Chop)..])
            await client.SendAsync(rest[..Math.Min(rest.Length, step.Chop)]);
    }
}
