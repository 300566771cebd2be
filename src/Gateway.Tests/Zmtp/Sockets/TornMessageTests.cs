using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Sockets;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>A peer that dies at each byte of a message of three parts, as sender and as receiver: never a part of it, never one mixed into another.</summary>
public class TornMessageTests
{
    private static readonly byte[][] Parts = ["first"u8.ToArray(), [.. Enumerable.Repeat((byte)'m', 300)], "last"u8.ToArray()];

    public static TheoryData<string, string, bool> Senders()
    {
        var senders = new TheoryData<string, string, bool>();
        foreach (var (ours, theirs) in ((string, string)[])[("PULL", "PUSH"), ("DEALER", "DEALER"), ("ROUTER", "DEALER"), ("SUB", "PUB"), ("XPUB", "XSUB"), ("PAIR", "PAIR"), ("REP", "DEALER")])
        {
            senders.Add(ours, theirs, true);
            senders.Add(ours, theirs, false);
        }

        return senders;
    }

    [Theory]
    [Trait("Proves", "libzmq#141")]
    [Trait("Proves", "libzmq#2163")]
    [Trait("Proves", "libzmq#3485")]
    [Trait("Proves", "jeromq#334")]
    [MemberData(nameof(Senders))]
    public async Task A_sender_killed_at_any_byte_delivers_the_whole_message_or_nothing(string ours, string theirs, bool byReset)
    {
        await using var socket = Make(ours);
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        byte[][] envelope = ours == "REP" ? [[]] : [];
        var message = ZmtpBytes.Message([.. envelope, .. Parts]);
        for (var cut = 0; cut < message.Length; cut++)
        {
            await using var bad = await ScriptedPeer.ConnectAsync(endpoint);
            await bad.HandshakeAsync(theirs);
            await bad.SendAsync(message[..cut]);
            if (byReset) bad.Reset();
            else bad.EndSending();
            // One at a time, as PAIR has it, and so that the next one is not the bad one's.
            if (!byReset) await bad.ReceiveToEndAsync();
            if (ours == "PAIR") await AloneAsync(socket);
        }

        await using var good = await ScriptedPeer.ConnectAsync(endpoint);
        await good.HandshakeAsync(theirs);
        await good.SendAsync(message);
        using var received = await ReceiveAsync(socket).WaitAsync(ScriptedPeer.Patience);
        var from = ours == "ROUTER" ? 1 : 0;
        Assert.Equal(Parts, Enumerable.Range(from, received.Count - from).Select(i => received[i].ToArray()));
        Assert.False(TryReceive(socket, out _));
    }

    [Theory]
    [Trait("Proves", "libzmq#180")]
    [Trait("Proves", "pyzmq#1244")]
    [InlineData("PUSH", "PULL")]
    [InlineData("DEALER", "DEALER")]
    [InlineData("PUB", "SUB")]
    [InlineData("PAIR", "PAIR")]
    public async Task A_receiver_killed_at_any_byte_leaves_whole_messages_for_the_next(string ours, string theirs)
    {
        await using var socket = Make(ours);
        var endpoint = socket.Bind("tcp://127.0.0.1:*");
        var message = ZmtpBytes.Message(Parts);
        for (var cut = 0; cut <= message.Length; cut++)
        {
            await using var bad = await JoinAsync(endpoint, theirs);
            await SendAsync(socket);
            Assert.Equal(message[..cut], await bad.ReceiveAsync(cut));
            bad.Reset();
            // What is sent while it dies goes nowhere or to the next one, whole.
            await AloneAsync(socket);
            await using var next = await JoinAsync(endpoint, theirs);
            await SendAsync(socket);
            await next.ExpectAsync(message);
            await next.DisposeAsync();
            await AloneAsync(socket);
        }
    }

    [Fact]
    [Trait("Proves", "libzmq#3057")]
    [Trait("Proves", "libzmq#4222")]
    public async Task A_peer_that_closes_and_comes_back_at_once_gets_what_follows_in_order()
    {
        using var listener = new ScriptedListener();
        await using var socket = new PushSocket(new ZmtpOptions { ReconnectMin = TimeSpan.FromMilliseconds(1), ReconnectMax = TimeSpan.FromMilliseconds(2), SendHighWaterMark = 5 });
        socket.Connect(listener.Endpoint);
        using var over = new CancellationTokenSource();
        var sending = Task.Run(async () =>
        {
            for (var i = 0; ; i++) await socket.SendAsync(Message.Of(BitConverter.GetBytes(i)), over.Token);
        });
        var last = -1;
        for (var round = 0; round < 100; round++)
        {
            await using var peer = await listener.AcceptAsync("PULL");
            for (var i = 0; i < 20; i++)
            {
                var number = BitConverter.ToInt32((await peer.ReceiveMessageAsync())[0]);
                Assert.True(number > last, $"{number} came after {last}");
                last = number;
            }
        }

        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending.WaitAsync(ScriptedPeer.Patience));
    }

    private static async Task<ScriptedPeer> JoinAsync(string endpoint, string theirs)
    {
        var peer = await ScriptedPeer.ConnectAsync(endpoint);
        await peer.HandshakeAsync(theirs);
        if (theirs == "SUB") await peer.SendAsync(ZmtpBytes.Subscribe(""));
        return peer;
    }

    private static async Task SendAsync(ZmtpSocket socket)
    {
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        switch (socket)
        {
            case PushSocket push:
                await push.SendAsync(Message.Of(Parts), late.Token);
                break;
            case DealerSocket dealer:
                await dealer.SendAsync(Message.Of(Parts), late.Token);
                break;
            case PairSocket pair:
                await pair.SendAsync(Message.Of(Parts), late.Token);
                break;
            default:
                // Until the subscription has arrived nobody gets anything.
                while (((PubSocket)socket).Send(Message.Of(Parts)) == 0)
                {
                    late.Token.ThrowIfCancellationRequested();
                    await Task.Yield();
                }

                break;
        }
    }

    private static async Task AloneAsync(ZmtpSocket socket)
    {
        using var late = new CancellationTokenSource(ScriptedPeer.Patience);
        while (socket.Endpoints.Count > 1 || socket.HasPeers)
        {
            late.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static ZmtpSocket Make(string type)
    {
        switch (type)
        {
            case "SUB":
                var sub = new SubSocket();
                sub.Subscribe("");
                return sub;
            case "PULL":
                return new PullSocket();
            case "DEALER":
                return new DealerSocket();
            case "ROUTER":
                return new RouterSocket();
            case "XPUB":
                return new XPubSocket();
            case "PAIR":
                return new PairSocket();
            case "REP":
                return new RepSocket();
            case "PUB":
                return new PubSocket();
            default:
                return new PushSocket();
        }
    }

    private static Task<Message> ReceiveAsync(ZmtpSocket socket) => socket switch
    {
        PullSocket pull => pull.ReceiveAsync().AsTask(),
        DealerSocket dealer => dealer.ReceiveAsync().AsTask(),
        RouterSocket router => router.ReceiveAsync().AsTask(),
        SubscribingSocket sub => sub.ReceiveAsync().AsTask(),
        XPubSocket xpub => xpub.ReceiveAsync().AsTask(),
        PairSocket pair => pair.ReceiveAsync().AsTask(),
        _ => ((RepSocket)socket).ReceiveAsync().AsTask(),
    };

    private static bool TryReceive(ZmtpSocket socket, out Message? message)
    {
        message = null;
        return socket switch
        {
            PullSocket pull => pull.TryReceive(out message),
            DealerSocket dealer => dealer.TryReceive(out message),
            RouterSocket router => router.TryReceive(out message),
            SubscribingSocket sub => sub.TryReceive(out message),
            XPubSocket xpub => xpub.TryReceive(out message),
            PairSocket pair => pair.TryReceive(out message),
            _ => ((RepSocket)socket).TryReceive(out message),
        };
    }
}
