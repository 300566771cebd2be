namespace Zmtp.Sockets;

/// <summary>The sending half of DEALER, PUSH and REQ: whole messages to one writable peer after the other, waiting while there is none.</summary>
internal sealed class LoadBalancer(ZmtpOptions options)
{
    private readonly ChangeSignal _signal = new();
    private int _next;

    /// <summary>Sends to the next peer that takes the message. The message is released when it was taken.</summary>
    public Peer? TrySend(Peer[] peers, Message message)
    {
        var start = NextTurn();
        for (var i = 0; i < peers.Length; i++)
        {
            var peer = peers[(start + (uint)i) % (uint)peers.Length];
            if (!peer.TrySend(message)) continue;
            message.Dispose();
            return peer;
        }

        return null;
    }

    /// <summary>Queues a message at the next peer that takes it.</summary>
    public bool TryForward(Peer[] peers, in Parcel parcel, FlushBatch batch)
    {
        var start = NextTurn();
        for (var i = 0; i < peers.Length; i++)
        {
            var peer = peers[(start + (uint)i) % (uint)peers.Length];
            // Behind a streamed frame a message would wait for somebody else's sender, and be lost with it.
            if (!peer.IsStreaming && peer.TryForward(parcel, batch)) return true;
        }

        return false;
    }

    /// <summary>Where in the list of peers the next message begins to look.</summary>
    public uint NextTurn() => (uint)Interlocked.Increment(ref _next);

    /// <summary>Sends to the next peer that takes the message, waiting while there is none. When it fails, the message is still the caller's.</summary>
    /// <exception cref="TimeoutException">None took it within the send timeout.</exception>
    public ValueTask<Peer> SendAsync(Func<Peer[]> peers, Message message, CancellationToken cancellationToken) =>
        Patience.SendAsync(options, _signal, () => TrySend(peers(), message), "No peer", cancellationToken);

    /// <summary>A peer came or has room again.</summary>
    public void Changed() => _signal.Changed();

    /// <summary>The socket is closed: who waits for a peer waits in vain.</summary>
    public void Close() => _signal.Close();
}
