using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>REQ_CORRELATE and REQ_RELAXED.</summary>
public class RequestOptionTests
{
    [Fact]
    public async Task A_correlated_request_has_a_number_and_takes_the_reply_with_it_only()
    {
        await using var router = await LibzmqSocket.StartAsync("ROUTER");
        var endpoint = await router.BindAsync();
        await using var req = new ReqSocket(new ZmtpOptions { ReqCorrelate = true });
        req.Connect(endpoint);
        var reply = req.RequestAsync(Message.Of("question")).AsTask();
        var request = await router.ReceiveAsync();
        Assert.Equal(4, request.Length);
        Assert.Equal((4, "", "question"), (request[1].Length, request[2], request[3]));
        await router.SendAsync(request[0], "nnnn", "", "for another request");
        await router.SendAsync(request[0], "", "without a number");
        await router.SendAsync(request[0], request[1], "", "answer");
        using var answer = await reply.WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("answer", answer.Text(0));
    }

    [Fact]
    public async Task A_correlated_request_is_answered_by_libzmqs_REP()
    {
        await using var rep = await LibzmqSocket.StartAsync("REP");
        var endpoint = await rep.BindAsync();
        await using var req = new ReqSocket(new ZmtpOptions { ReqCorrelate = true });
        req.Connect(endpoint);
        var reply = req.RequestAsync(Message.Of("question")).AsTask();
        Assert.Equal(["question"], await rep.ReceiveAsync());
        await rep.SendAsync("answer");
        using var answer = await reply.WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("answer", answer.Text(0));
    }

    [Fact]
    public async Task A_relaxed_request_ends_the_one_that_waits_and_a_late_reply_is_not_taken_for_its_own()
    {
        await using var router = await LibzmqSocket.StartAsync("ROUTER");
        var endpoint = await router.BindAsync();
        await using var req = new ReqSocket(new ZmtpOptions { ReqCorrelate = true, ReqRelaxed = true });
        req.Connect(endpoint);
        var first = req.RequestAsync(Message.Of("first")).AsTask();
        var asked = await router.ReceiveAsync();
        var second = req.RequestAsync(Message.Of("second")).AsTask();
        Assert.Contains("ReqRelaxed", (await Assert.ThrowsAsync<ZmtpException>(() => first.WaitAsync(ScriptedPeer.Patience))).Message, StringComparison.Ordinal);
        var askedAgain = await router.ReceiveAsync();
        // On the same connection: with numbers there is no need to close it.
        Assert.Equal(asked[0], askedAgain[0]);
        await router.SendAsync(asked[0], asked[1], "", "late");
        await router.SendAsync(askedAgain[0], askedAgain[1], "", "in time");
        using var answer = await second.WaitAsync(ScriptedPeer.Patience);
        Assert.Equal("in time", answer.Text(0));
    }

    [Fact]
    public async Task A_reply_that_does_not_come_within_the_receive_timeout_is_a_timeout()
    {
        var time = new ManualTimeProvider();
        await using var router = await LibzmqSocket.StartAsync("ROUTER");
        var endpoint = await router.BindAsync();
        await using var req = new ReqSocket(new ZmtpOptions { Time = time, HandshakeTimeout = TimeSpan.Zero, ConnectTimeout = TimeSpan.Zero, ReceiveTimeout = TimeSpan.FromSeconds(5) });
        req.Connect(endpoint);
        var reply = req.RequestAsync(Message.Of("question")).AsTask();
        Assert.Equal("question", (await router.ReceiveAsync())[2]);
        // The timer is made when the request is under way, which the peer may see first.
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        while (!reply.IsCompleted)
        {
            late.Token.ThrowIfCancellationRequested();
            time.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        Assert.Contains("ReceiveTimeout", (await Assert.ThrowsAsync<TimeoutException>(() => reply)).Message, StringComparison.Ordinal);
    }
}
