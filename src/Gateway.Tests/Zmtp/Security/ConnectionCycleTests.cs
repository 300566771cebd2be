using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Authentication;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Security;

/// <summary>libzmq#4218, #4232, #2020, #954: memory that connections left behind, above all those that were refused.</summary>
[Collection("Alone")]
public class ConnectionCycleTests
{
    private static readonly CurveKeyPair ServerKeys = CurveKeyPair.Generate();
    private static readonly CurveKeyPair ClientKeys = CurveKeyPair.Generate();
    private readonly ConcurrentQueue<WeakReference> _made = new();
    private readonly Channel<SocketEventKind> _ends = Channel.CreateUnbounded<SocketEventKind>();

    [Theory]
    [Trait("Proves", "libzmq#954")]
    [InlineData("NULL")]
    [InlineData("PLAIN")]
    [InlineData("CURVE")]
    public async Task A_thousand_connections_good_and_bad_leave_nothing_alive(string mechanism)
    {
        var owner = new WatchingOwner(_made);
        await using var server = new PeerSet(SocketType.Router, Server(mechanism), owner);
        var endpoint = server.Bind("tcp://127.0.0.1:*");
        for (var i = 0; i < 1_000; i++) await CycleAsync(endpoint, mechanism, i);
        Assert.Equal(500, owner.Peers);
        Assert.Single(server.Endpoints);
        await AssertNothingLivesAsync();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task CycleAsync(string endpoint, string mechanism, int i)
    {
        var isGood = i % 2 == 0;
        var ready = new TaskCompletionSource();
        var options = Client(mechanism, isGood, i);
        options.Events = e =>
        {
            if (e.Kind is SocketEventKind.Ready) ready.TrySetResult();
        };
        // A wrong type is what there is to be wrong without a mechanism.
        await using (ZmtpSocket client = mechanism == "NULL" && !isGood ? new PubSocket(options) : new DealerSocket(options))
        {
            _made.Enqueue(new WeakReference(client));
            client.Connect(endpoint);
            if (isGood) await ready.Task.WaitAsync(ScriptedPeer.Patience);
            else Assert.Equal(SocketEventKind.HandshakeFailed, await EndAsync());
        }

        if (isGood) Assert.Equal(SocketEventKind.Disconnected, await EndAsync());
    }

    private async Task<SocketEventKind> EndAsync() => await _ends.Reader.ReadAsync().AsTask().WaitAsync(ScriptedPeer.Patience);

    private async Task AssertNothingLivesAsync()
    {
        var alive = _made.Count;
        // The last connections end on other threads, a moment after they were told of.
        for (var i = 0; i < 1_000 && alive > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Yield();
            alive = _made.Count(reference => reference.IsAlive);
        }

        Assert.Equal(0, alive);
        Assert.True(_made.Count >= 1_500, $"only {_made.Count} objects were watched");
    }

    private ZmtpOptions Server(string mechanism)
    {
        var options = new ZmtpOptions();
        options.Events = e =>
        {
            if (e.Kind is SocketEventKind.HandshakeFailed or SocketEventKind.Disconnected) _ends.Writer.TryWrite(e.Kind);
        };
        options.PlainServer = mechanism == "PLAIN";
        options.CurveServer = mechanism == "CURVE";
        options.CurveKeys = mechanism == "CURVE" ? ServerKeys : null;
        options.Authenticator = new WatchingAuthenticator(_made, new AllowList(new AllowListOptions
        {
            Users = new Dictionary<string, string>(StringComparer.Ordinal) { ["joe"] = "secret" },
            CurveKeys = [ClientKeys.PublicKey],
        }));
        return options;
    }

    private static ZmtpOptions Client(string mechanism, bool isGood, int i)
    {
        // One attempt each: the next one would come in a minute.
        var options = new ZmtpOptions { ReconnectMin = TimeSpan.FromMinutes(1), ReconnectMax = TimeSpan.FromMinutes(1) };
        if (mechanism == "PLAIN") (options.PlainUserName, options.PlainPassword) = ("joe", isGood ? "secret" : "guess");
        if (mechanism != "CURVE") return options;
        // In turns: a key that is not on the list, and another server's key.
        options.CurveKeys = isGood || i % 4 == 1 ? ClientKeys : ServerKeys;
        options.CurveServerKey = isGood || i % 4 != 1 ? ServerKeys.PublicKey : ClientKeys.PublicKey;
        return options;
    }

    private sealed class WatchingAuthenticator(ConcurrentQueue<WeakReference> made, AllowList list) : IAuthenticator
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
        {
            made.Enqueue(new WeakReference(request));
            return list.AuthenticateAsync(request, cancellationToken);
        }
    }

    private sealed class WatchingOwner(ConcurrentQueue<WeakReference> made) : IPeerOwner
    {
        private int _peers;

        public int Peers => Volatile.Read(ref _peers);

        public IFrameSink PeerReady(Peer peer)
        {
            made.Enqueue(new WeakReference(peer));
            Interlocked.Increment(ref _peers);
            return new RecordingOwner();
        }

        public void PeerWritable(Peer peer)
        {
            // Nothing is sent.
        }

        public void PeerGone(Peer peer)
        {
            // The listener's events tell.
        }

        public bool PeerSubscribed(Peer peer, ReadOnlySpan<byte> topic, bool subscribe) => true;
    }
}
