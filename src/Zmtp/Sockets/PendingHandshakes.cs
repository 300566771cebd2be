namespace Zmtp.Sockets;

/// <summary>The accepted connections of one listener that are not ready yet, in all and by address.</summary>
/// <remarks>
/// Above a limit the one goes that has been silent longest, never the newest: whoever fills a listener with connections that say nothing
/// displaces his own, and a peer that speaks gets in.
/// </remarks>
/// <param name="max">Most in all; 0 for no limit.</param>
/// <param name="maxPerAddress">Most of one address; 0 for no limit.</param>
internal sealed class PendingHandshakes(int max, int maxPerAddress)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<WirePeer, (string Address, long Number)> _pending = [];
    private readonly Dictionary<string, int> _byAddress = new(StringComparer.Ordinal);
    private long _number;

    /// <summary>Takes a new connection in.</summary>
    /// <param name="address">Where it comes from; empty is no address (ipc).</param>
    /// <returns>The connection that has to go for it, no longer counted; null for none.</returns>
    public WirePeer? Add(WirePeer peer, string address)
    {
        lock (_gate)
        {
            var ofAddress = address.Length > 0 && maxPerAddress > 0 && _byAddress.GetValueOrDefault(address) >= maxPerAddress;
            WirePeer? victim = null;
            if (ofAddress || (max > 0 && _pending.Count >= max)) victim = SilentLongest(ofAddress ? address : null);
            if (victim is not null) Forget(victim);
            _pending.Add(peer, (address, _number++));
            _byAddress[address] = _byAddress.GetValueOrDefault(address) + 1;
            return victim;
        }
    }

    /// <summary>The connection is ready or gone. Does nothing for one that had to go.</summary>
    public void Remove(WirePeer peer)
    {
        lock (_gate) Forget(peer);
    }

    private void Forget(WirePeer peer)
    {
        if (!_pending.Remove(peer, out var entry)) return;
        if (--_byAddress[entry.Address] == 0) _byAddress.Remove(entry.Address);
    }

    /// <summary>A search through all of them, at most one for each connection that is accepted; a thousand take microseconds.</summary>
    private WirePeer? SilentLongest(string? address)
    {
        WirePeer? found = null;
        var least = (true, long.MaxValue, long.MaxValue);
        foreach (var (peer, entry) in _pending)
        {
            if (address is not null && entry.Address != address) continue;
            // Who waits for our authenticator has said all that it can.
            var rank = (peer.IsBeingDecided, peer.LastHeard, entry.Number);
            if (found is not null && rank.CompareTo(least) >= 0) continue;
            (found, least) = (peer, rank);
        }

        return found;
    }
}
