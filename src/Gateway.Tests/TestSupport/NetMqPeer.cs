using Gateway.Tests.Interop;
using Zmtp.Wire;

namespace Gateway.Tests.TestSupport;

/// <summary>
/// What NetMQ 4.0.1 and later puts on the wire, as a script: a greeting in lock-step, ZMTP 3.0, subscriptions as messages, no ear for
/// commands. Written from its source, not from the code under test.
/// </summary>
internal sealed class NetMqPeer(ScriptedPeer peer, InteropCase test) : IAsyncDisposable
{
    private static readonly byte[] Identity = "theirs"u8.ToArray();
    private string TypeName => test.Theirs.Name();

    public static byte[] Signature(int identityLength) => [0xFF, 0, 0, 0, 0, 0, 0, 0, (byte)(identityLength + 1), 0x7F];

    /// <summary>Ten bytes, then it waits for ours; the major version, then it waits for ours; the rest. Only then a command.</summary>
    public async Task ShakeHandsAsync()
    {
        var announces = test.Theirs is SocketType.Req or SocketType.Dealer or SocketType.Router;
        await peer.SendAsync(Signature(announces ? Identity.Length : 0));
        Assert.Equal((0xFF, 0x7F), (await peer.ReceiveAsync(10)) switch { var ten => (ten[0], ten[9]) });
        await peer.SendAsync([3]);
        Assert.InRange((await peer.ReceiveAsync(1))[0], 3, 255);
        await peer.SendAsync(ZmtpBytes.Greeting(minor: 0)[11..]);
        Assert.Equal("NULL", System.Text.Encoding.ASCII.GetString(await peer.ReceiveAsync(53), 1, 4));
        await peer.SendAsync(ZmtpBytes.Ready(TypeName, announces ? Identity : null));
        var (flags, body) = await peer.ReceiveFrameAsync();
        Assert.Equal((4, 5), (flags, body[0]));
    }

    /// <summary>Plays the peer's part of a case of the matrix.</summary>
    public async Task PlayAsync()
    {
        var messages = test.Sizes.Select(sizes => sizes.Select(size => Enumerable.Range(0, size).Select(i => (byte)(i % 251)).ToArray()).ToArray()).ToList();
        switch (test.Flow)
        {
            case "echo":
                foreach (var _ in messages) await peer.SendAsync(ZmtpBytes.Message(await ReceiveAsync()));
                break;
            case "ask":
                byte[][] envelope = test.Theirs == SocketType.Req || test.Ours == SocketType.Rep ? [[]] : [];
                foreach (var message in messages)
                {
                    await peer.SendAsync(ZmtpBytes.Message([.. envelope, .. message]));
                    AssertSame([.. envelope, .. message], await ReceiveAsync());
                }

                break;
            case "collect":
                await CollectAsync(messages);
                break;
            default:
                await SendAsync(messages);
                break;
        }
    }

    /// <summary>The next message. Commands are dropped, as its session does: what a peer tells it by command is lost.</summary>
    public Task<byte[][]> ReceiveAsync() => peer.ReceiveMessageAsync();

    /// <summary>Asks for a PONG and takes everything up to it.</summary>
    public async Task PingAsync()
    {
        await peer.SendAsync(ZmtpBytes.Ping(100));
        while (await peer.ReceiveFrameAsync() is var (flags, body) && ((flags & 4) == 0 || body is not [4, (byte)'P', (byte)'O', (byte)'N', (byte)'G']))
        {
            // What was on its way before.
        }
    }

    public ValueTask DisposeAsync() => peer.DisposeAsync();

    private async Task CollectAsync(List<byte[][]> messages)
    {
        if (test.Theirs != SocketType.Pull) await peer.SendAsync(ZmtpBytes.Frame([1]));
        foreach (var message in messages)
        {
            var received = await ReceiveAsync();
            while (received is [[.. var first]] && first.AsSpan().SequenceEqual("sync"u8)) received = await ReceiveAsync();
            AssertSame(message, received);
        }

        if (test.Theirs == SocketType.Pull) return;
        await peer.SendAsync(ZmtpBytes.Frame([0]));
    }

    private async Task SendAsync(List<byte[][]> messages)
    {
        // Our subscription has to come as a message: a command would be lost.
        if (test.Theirs != SocketType.Push) await peer.ExpectAsync(ZmtpBytes.Frame([1]));
        foreach (var message in messages) await peer.SendAsync(ZmtpBytes.Message(message));
    }

    private static void AssertSame(byte[][] expected, byte[][] actual) => Assert.Equal(expected.Select(Convert.ToHexString), actual.Select(Convert.ToHexString));
}
