using System.Net;
using Gateway.Backends;
using Gateway.Tests.TestSupport;

namespace Gateway.Tests.Calls;

public class CallFailureTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(504, "backend-timeout")]
    [InlineData(503, "backend-unavailable")]
    [InlineData(502, "backend-lost")]
    public async Task A_failed_call_is_a_problem(int status, string code)
    {
        var caller = new FakeCaller(call => throw (code switch
        {
            "backend-timeout" => new BackendTimeoutException("service", call.Timeout),
            "backend-unavailable" => new BackendUnavailableException("service", "tcp://127.0.0.1:5555 refused the connection."),
            _ => new BackendLostException("service", "tcp://127.0.0.1:5555", replyBegan: false),
        }));
        await using var gateway = await caller.StartAsync("Timeout=00:00:07");
        using var response = await gateway.Client.PostAsync("/call", content: null);
        await CallReplyTests.AssertProblemAsync(response, (HttpStatusCode)status, code);
    }

    [Fact]
    public async Task The_route_has_its_own_timeout_or_that_of_its_backend()
    {
        var caller = new FakeCaller(call => call.ReplyAsync(call.Timeout.ToString()));
        await using (var gateway = await caller.StartAsync("Timeout=00:00:07"))
        {
            Assert.Equal("00:00:07", await gateway.Client.GetPostedAsync("/call"));
        }

        await using (var gateway = await caller.StartWithAsync(["Gateway:Backends:service:Timeout=00:00:09"]))
        {
            Assert.Equal("00:00:09", await gateway.Client.GetPostedAsync("/call"));
        }
    }

    [Fact]
    public async Task A_failure_between_frames_of_the_head_leaves_nothing_of_it()
    {
        var caller = new FakeCaller(async call =>
        {
            await call.SendPartAsync("201"u8.ToArray(), 3, isFirst: true, isLast: true, more: true);
            await call.SendPartAsync("a=1"u8.ToArray(), 3, isFirst: true, isLast: true, more: true);
            throw new BackendLostException("service", "tcp://127.0.0.1:5555", replyBegan: false);
        });
        await using var gateway = await caller.StartAsync("Reply:0={status}", "Reply:1={header:Set-Cookie}", "Reply:2={body}");
        using var response = await gateway.Client.PostAsync("/call", content: null);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        await CallReplyTests.AssertProblemAsync(response, HttpStatusCode.BadGateway, "backend-lost");
    }

    [Fact]
    public async Task A_backend_lost_in_the_middle_of_a_frame_cuts_the_response_short()
    {
        var caller = new FakeCaller(async call =>
        {
            await call.SendPartAsync(new byte[100_000], 1_000_000, isFirst: true, isLast: false, more: false);
            throw new BackendLostException("service", "tcp://127.0.0.1:5555", replyBegan: false);
        });
        await using var gateway = await caller.StartAsync();
        using var client = new RawHttpClient(gateway.BaseAddress);
        await client.SendAsync("POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        var response = await client.ReadToEndAsync();
        Assert.Contains("Content-Length: 1000000\r\n", response, StringComparison.Ordinal);
        Assert.True(response.Length < 200_000);
    }

    [Fact]
    public async Task A_backend_lost_between_parts_leaves_the_response_without_its_last_chunk()
    {
        var caller = new FakeCaller(async call =>
        {
            await call.SendPartAsync(new byte[40_000], 40_000, isFirst: true, isLast: true, more: true);
            throw new BackendLostException("service", "tcp://127.0.0.1:5555", replyBegan: false);
        });
        await using var gateway = await caller.StartAsync("Reply:0={parts}");
        using var client = new RawHttpClient(gateway.BaseAddress);
        await client.SendAsync("POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        var response = await client.ReadToEndAsync();
        Assert.Contains("Transfer-Encoding: chunked\r\n", response, StringComparison.Ordinal);
        Assert.DoesNotContain("\r\n0\r\n\r\n", response, StringComparison.Ordinal);
        Assert.DoesNotContain("problem", response, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_end_of_a_reply_that_is_being_sent_cuts_the_response_short()
    {
        var caller = new FakeCaller(async call =>
        {
            await call.SendPartAsync(new byte[70_000], 140_000, isFirst: true, isLast: false, more: true);
            await call.SendPartAsync(new byte[70_000], 140_000, isFirst: false, isLast: true, more: true);
            await call.ReplyAsync("skipped", "one too many");
        });
        await using var gateway = await caller.StartAsync("Reply:0={body}", "Reply:1={skip}");
        using var client = new RawHttpClient(gateway.BaseAddress);
        await client.SendAsync("POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nGET /call HTTP/1.1\r\nHost: x\r\n\r\n");
        var response = await client.ReadToEndAsync();
        Assert.Single(System.Text.RegularExpressions.Regex.Matches(response, "HTTP/1.1 "));
    }

    [Fact]
    public async Task A_client_that_leaves_cancels_its_call()
    {
        var cancelled = new TaskCompletionSource();
        var began = new TaskCompletionSource();
        var caller = new FakeCaller(async call =>
        {
            using var registration = call.Cancelled.Register(cancelled.SetResult);
            began.SetResult();
            await cancelled.Task;
            call.Cancelled.ThrowIfCancellationRequested();
        });
        await using var gateway = await caller.StartAsync();
        using (var client = new RawHttpClient(gateway.BaseAddress))
        {
            await client.SendAsync("POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n0");
            await began.Task.WaitAsync(Patience);
        }

        await cancelled.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_client_that_leaves_during_its_upload_ends_the_streaming()
    {
        var (began, ended) = (new TaskCompletionSource(), new TaskCompletionSource<Exception?>());
        var caller = new FakeCaller(async call =>
        {
            began.SetResult();
            ended.SetResult(await Record.ExceptionAsync(async () =>
            {
                while (true)
                {
                    var result = await call.StreamedBody.ReadAsync(call.Cancelled);
                    call.StreamedBody.AdvanceTo(result.Buffer.End);
                }
            }));
            throw new OperationCanceledException();
        });
        await using var gateway = await caller.StartAsync();
        using (var client = new RawHttpClient(gateway.BaseAddress))
        {
            await client.SendAsync("POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
            await client.SendAsync(new byte[100_000]);
            await began.Task.WaitAsync(Patience);
        }

        Assert.NotNull(await ended.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_client_that_leaves_during_its_download_does_not_stop_the_lane()
    {
        var left = new TaskCompletionSource();
        var taken = new TaskCompletionSource<int>();
        var caller = new FakeCaller(async call =>
        {
            const int Pieces = 200;
            await call.SendPartAsync(new byte[50_000], Pieces * 50_000, isFirst: true, isLast: false, more: false);
            await left.Task;
            for (var i = 1; i < Pieces; i++) await call.SendPartAsync(new byte[50_000], Pieces * 50_000, isFirst: false, isLast: i == Pieces - 1, more: false);
            taken.SetResult(Pieces);
        });
        await using var gateway = await caller.StartAsync();
        using (var client = new RawHttpClient(gateway.BaseAddress))
        {
            await client.SendAsync("POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
            await client.ReadUntilAsync("\r\n\r\n");
        }

        left.SetResult();
        Assert.Equal(200, await taken.Task.WaitAsync(Patience));
    }
}

internal static class PostExtensions
{
    public static async Task<string> GetPostedAsync(this HttpClient client, string path)
    {
        using var response = await client.PostAsync(path, content: null);
        return await response.Content.ReadAsStringAsync();
    }
}
