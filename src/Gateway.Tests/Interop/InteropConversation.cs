using System.Security.Cryptography;
using Zmtp;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Interop;

/// <summary>Our side of one case of the matrix: plays the counterpart of the peer's flow and says what it received.</summary>
internal sealed class InteropConversation(InteropCase test, ZmtpSocket socket)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>What RADIO sends to and DISH joins.</summary>
    public const string Group = "matrix";

    /// <summary>What arrived here, as the peer describes messages.</summary>
    public List<string> Received { get; } = [];

    /// <summary>Plays it to its end.</summary>
    /// <param name="go">Tells a PUB peer that its subscriber is there.</param>
    public async Task PlayAsync(Func<Task> go)
    {
        using var late = new CancellationTokenSource(Patience);
        switch (test.Flow)
        {
            case "echo":
                foreach (var sizes in test.Sizes) Take(await AskAsync(Make(sizes), late.Token));
                break;
            case "ask":
                foreach (var _ in test.Sizes) await EchoAsync(late.Token);
                break;
            case "collect":
                await SubscribedAsync(late.Token);
                foreach (var sizes in test.Sizes) await SendAsync(Make(sizes), late.Token);
                break;
            default:
                await HearAsync(go, late.Token);
                break;
        }
    }

    /// <summary>What a message of these frame sizes is described as.</summary>
    public static string Describe(int[] sizes)
    {
        using var message = Make(sizes);
        return Describe(message, 0);
    }

    private static string Describe(Message message, int from)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var i = from; i < message.Count; i++) hash.AppendData(message[i].Span);
        return $"{string.Join('/', Enumerable.Range(from, message.Count - from).Select(i => message[i].Length))} {Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }

    private static Message Make(int[] sizes)
    {
        var message = Message.Create();
        foreach (var size in sizes) message.Add([.. Enumerable.Range(0, size).Select(i => (byte)(i % 251))]);
        return message;
    }

    /// <summary>Frames that stand before a body on this pair: the delimiter for a REP, the identity for a ROUTER.</summary>
    private byte[][] Envelope => (test.Ours, test.Theirs) switch
    {
        (SocketType.Dealer, SocketType.Rep) => [[]],
        (SocketType.Router, SocketType.Router) => ["theirs"u8.ToArray()],
        _ => [],
    };

    private void Take(Message message)
    {
        using (message)
        {
            var envelope = Envelope;
            for (var i = 0; i < envelope.Length; i++) Assert.Equal(envelope[i], message[i].ToArray());
            Received.Add(Describe(message, envelope.Length));
        }
    }

    private async Task<Message> AskAsync(Message body, CancellationToken late)
    {
        if (socket is ReqSocket req) return await req.RequestAsync(body, late);
        using var question = Message.Create();
        foreach (var frame in Envelope) question.Add(frame);
        for (var i = 0; i < body.Count; i++) question.Add(body[i].Span);
        body.Dispose();
        await SendAsync(question.Retain(), late);
        return await ReceiveAsync(late);
    }

    private async Task EchoAsync(CancellationToken late)
    {
        if (socket is ServerSocket server)
        {
            var (routingId, request) = await server.ReceiveAsync(late);
            await server.SendAsync(routingId, request, late);
            return;
        }

        await SendAsync(await ReceiveAsync(late), late);
    }

    private async Task HearAsync(Func<Task> go, CancellationToken late)
    {
        var told = false;
        while (Received.Count < test.Sizes.Length)
        {
            var message = await ReceiveAsync(late);
            if (message.Count > 1 || message.Text(0) != "sync")
            {
                Take(message);
                continue;
            }

            message.Dispose();
            if (!told) await go();
            told = true;
        }
    }

    /// <summary>Publishers: waits until the subscriber is there.</summary>
    private async Task SubscribedAsync(CancellationToken late)
    {
        if (socket is XPubSocket xpub)
        {
            using var subscription = await xpub.ReceiveAsync(late);
            Assert.Equal([1], subscription[0].ToArray());
        }
        else if (socket is PubSocket or RadioSocket)
        {
            while (Publish(Message.Of("sync")) == 0)
            {
                late.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
    }

    private async ValueTask SendAsync(Message message, CancellationToken late)
    {
        switch (socket)
        {
            case DealerSocket dealer:
                await dealer.SendAsync(message, late);
                break;
            case PairSocket pair:
                await pair.SendAsync(message, late);
                break;
            case PushSocket push:
                await push.SendAsync(message, late);
                break;
            case ClientSocket client:
                await client.SendAsync(message, late);
                break;
            case ScatterSocket scatter:
                await scatter.SendAsync(message, late);
                break;
            case PublishingSocket or RadioSocket:
                Assert.Equal(1, Publish(message));
                break;
            case RepSocket rep:
                Assert.True(rep.Send(message));
                break;
            default:
                // A ROUTER knows its peer from the handshake on, and that may not be over yet.
                while (!((RouterSocket)socket).Send(message.Retain()))
                {
                    late.ThrowIfCancellationRequested();
                    await Task.Yield();
                }

                message.Dispose();
                break;
        }
    }

    private int Publish(Message message) => socket is RadioSocket radio ? radio.Send(Group, message) : ((PublishingSocket)socket).Send(message);

    private static async ValueTask<Message> ReceiveGroupAsync(DishSocket dish, CancellationToken late)
    {
        using var received = await dish.ReceiveAsync(late);
        Assert.Equal(Group, received.GroupName);
        return Message.Of(received.Message[1].ToArray());
    }

    private ValueTask<Message> ReceiveAsync(CancellationToken late) => socket switch
    {
        ClientSocket client => client.ReceiveAsync(late),
        GatherSocket gather => gather.ReceiveAsync(late),
        DishSocket dish => ReceiveGroupAsync(dish, late),
        DealerSocket dealer => dealer.ReceiveAsync(late),
        PairSocket pair => pair.ReceiveAsync(late),
        PullSocket pull => pull.ReceiveAsync(late),
        SubscribingSocket subscriber => subscriber.ReceiveAsync(late),
        RepSocket rep => rep.ReceiveAsync(late),
        _ => ((RouterSocket)socket).ReceiveAsync(late),
    };
}
