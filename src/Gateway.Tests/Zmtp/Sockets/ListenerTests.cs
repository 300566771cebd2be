using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

public class ListenerTests
{
    [Fact]
    public async Task A_connection_that_cannot_be_set_up_keeps_no_other_from_being_accepted()
    {
        var time = new BrokenOnceTime();
        var failed = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var pull = new PullSocket(new ZmtpOptions
        {
            Time = time,
            Events = e => _ = e.Kind == SocketEventKind.AcceptFailed && failed.TrySetResult(e.Error),
        });
        var endpoint = pull.Bind("tcp://127.0.0.1:*");
        time.Break();
        await using var push =
            new PushSocket(new ZmtpOptions { ReconnectMin = TimeSpan.FromMilliseconds(1), ReconnectMax = TimeSpan.FromMilliseconds(1) });
        push.Connect(endpoint);
        Assert.Equal("the clock is broken", (await failed.Task.WaitAsync(ScriptedPeer.Patience))!.Message);
        // Not that connection, which was given up, but the next one.
        using var enough = new CancellationTokenSource(ScriptedPeer.Patience);
        await push.SendAsync(Message.Of("x"), enough.Token);
        using var received = await pull.ReceiveAsync(enough.Token);
        Assert.Equal("x", received.Text(0));
    }

    private sealed class BrokenOnceTime : TimeProvider
    {
        private bool _isBroken;

        public void Break() => Volatile.Write(ref _isBroken, true);

        // Asked for by each connection that is made.
        public override long GetTimestamp() =>
            Interlocked.Exchange(ref _isBroken, false) ? throw new InvalidOperationException("the clock is broken") : base.GetTimestamp();
    }
}
