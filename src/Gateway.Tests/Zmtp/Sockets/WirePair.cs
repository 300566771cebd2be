using Gateway.Tests.TestSupport;
using Zmtp;
using Zmtp.Security;
using Zmtp.Sockets;
using Zmtp.Wire;

namespace Gateway.Tests.Zmtp.Sockets;

/// <summary>A connection under test in memory, and the scripted peer at its other end.</summary>
internal sealed class WirePair : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    private WirePair(WirePeer peer, MemoryLink link, ScriptedPeer other, RecordingOwner owner)
    {
        (Peer, Link, Other, Owner) = (peer, link, other, owner);
        Ended = Task.Run(() => peer.RunAsync(_stopping.Token));
    }

    public WirePeer Peer { get; }

    /// <summary>What the connection goes over.</summary>
    public MemoryLink Link { get; }

    public ScriptedPeer Other { get; }

    public RecordingOwner Owner { get; }

    /// <summary>The end of the connection, with its reason.</summary>
    public Task<Exception?> Ended { get; }

    /// <summary>Makes a connection whose handshake is complete.</summary>
    public static async Task<WirePair> ReadyAsync(
        SocketType ours, string theirs, byte minor = 1, int chop = int.MaxValue, int window = int.MaxValue - 1, ZmtpOptions? options = null)
    {
        var pair = Start(ours, chop, window, options);
        await pair.Other.HandshakeAsync(theirs, minor);
        await pair.Owner.ReadyAsync();
        return pair;
    }

    /// <summary>Makes a connection before its first byte.</summary>
    public static WirePair Start(SocketType ours, int chop = int.MaxValue, int window = int.MaxValue - 1, ZmtpOptions? options = null)
    {
        options ??= new ZmtpOptions();
        var (link, other) = MemoryLink.Pair(chop, window);
        var owner = new RecordingOwner();
        return new WirePair(
            new WirePeer(link, "memory", isOutgoing: true, ours, options, new NullMechanism(ours, options.Identity), owner), link,
                new ScriptedPeer(other), owner);
    }

    public Task<Exception?> EndAsync() => Ended.WaitAsync(ScriptedPeer.Patience);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Other.DisposeAsync();
        await EndAsync();
        _stopping.Dispose();
    }
}
